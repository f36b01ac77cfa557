export { AgentClient, type AgentClientOptions, type AgentState } from './agent-client.ts';
export { prepareLinux } from './prepare.ts';
export { AGENT_INIT, agentInitramfs } from './agent-initramfs.ts';
export { LastWords } from './last-words.ts';
export { afterReset, kernelPanic } from './linux-halt.ts';
