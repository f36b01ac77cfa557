export { AgentClient } from './agent-client.ts';
export { prepareLinux } from './prepare.ts';
export { AGENT_INIT, agentInitramfs } from './agent-initramfs.ts';
