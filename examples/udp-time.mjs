// A UDP time server in the manner of RFC 868's: whatever one sends to it, the time comes back; and a client that asks
// several times and gives up on what is lost.
// Run: node examples/udp-time.mjs serve 3700, and beside it: node examples/udp-time.mjs ask 3700
import { timeout } from 'millrace';
import { bindUdp, connectUdp } from 'millrace/net';

const [what = 'serve', port = '3700'] = process.argv.slice(2);

if (what === 'serve') {
  const server = await bindUdp({
    host: '127.0.0.1',
    port: Number(port),
    message(socket, question) {
      // The question's sender is the destination: no address is read or written.
      socket.send(new Date().toISOString(), question);
    },
    // An answer that nobody took (ICMP) is no reason to stop.
    error: (_socket, error) => console.error(error.message),
  });
  console.log(`answering on 127.0.0.1:${server.port}`);
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, async () => {
      await server.close();
      console.log(`answered ${server.sent} questions`);
    });
  }
} else {
  const client = await connectUdp({ host: '127.0.0.1', port: Number(port) });
  let answers = 0;
  for (let i = 0; i < 5; i++) {
    client.send('what time is it?');
    try {
      // UDP promises nothing: without a limit a lost answer would be waited for for ever.
      const answer = await timeout(1000, client.receive());
      console.log(String(answer));
      answers++;
    } catch (error) {
      console.error(error.message); // the limit, or ECONNREFUSED where nobody answers
    }
  }
  await client.close();
  process.exitCode = answers > 0 ? 0 : 1;
}
