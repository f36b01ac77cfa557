export { SerialConsole } from './console.ts';
