/// <reference types="node-pty" />

/** What package.json installs as node-pty is published under another name, and its types know only that one. */
declare module 'node-pty' {
  export * from '@lydell/node-pty';
}
