// Tasks of both kinds, and how they take turns. Run: node examples/hello-tasks.mjs
import { all, sleep, spawn } from 'millrace';

// A fiber: a generator function. It waits with `yield*`; a bare `yield` gives way to the other tasks.
function* greet(name) {
  for (let i = 1; i <= 3; i++) {
    console.log(`${name} says hello ${i}`);
    yield;
  }
  return `${name} is done`;
}

// An async function is a task as well, and waits with `await`.
async function nap() {
  await sleep(5);
  return 'nap is over';
}

// `greet('Ann')` makes a generator and runs nothing: the task begins when this turn is over.
const handles = [spawn(greet('Ann')), spawn(greet('Bob')), spawn(nap)];
console.log('spawned');
for (const result of await all(handles)) console.log(result);
