import { testHandlers } from './handler-tasks.js';

testHandlers();
