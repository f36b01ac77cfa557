export { AgentClient } from './agent-client.ts';
export { AGENT_INIT, agentInitramfs } from './agent-initramfs.ts';
