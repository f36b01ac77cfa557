import { failed } from './failed.ts';
import { secret, type PowerRequest, type PowerSwitch } from './request.ts';
import { tryPowerCommand, type PowerCommandResult } from './run-command.ts';
import { untilOff } from './until-off.ts';

/** ipmitool's messages for the completion codes C1h, D5h: not supported, or not in this state (IPMI 2.0, table 5-2). */
const NOT_NOW = /not supported in present state|invalid command/i;

type Verb = 'status' | 'on' | 'off' | 'cycle';

/** ipmitool, depending on the chassis state: many BMCs refuse to switch to the current state, or to cycle when off. */
export const ipmiPower: PowerSwitch<'ipmi'> = async (request) => {
  const { name, config, action } = request;
  const ask = async (verb: Verb): Promise<PowerCommandResult> => await chassis(request, verb);
  const demand = async (verb: Verb): Promise<string> => {
    const result = await ask(verb);
    if (result.code === 0) return result.said;
    throw refused(name, result);
  };
  const status = await demand('status');
  if (action === 'status') return status;
  const before = stateIn(status);
  if (before !== undefined && before === action) return status;
  if (action === 'cycle' && before === 'off') return await demand('on');
  const result = await ask(action);
  if (result.code === 0) return result.said;
  if (!NOT_NOW.test(result.said)) throw refused(name, result);
  // Another user, or the machine itself, may have switched it first.
  const after = await demand('status');
  if (action !== 'cycle') {
    if (stateIn(after) === action) return after;
    throw refused(name, result);
  }
  const off = stateIn(after) === 'off' ? after : await demand('off');
  await untilOff(name, config.timeout, async () => stateIn(await demand('status')) !== 'on');
  return `${off}\n${await demand('on')}`;
};

function stateIn(said: string): 'on' | 'off' | undefined {
  const state = /chassis power is (on|off)\b/i.exec(said)?.[1]?.toLowerCase();
  return state === 'on' || state === 'off' ? state : undefined;
}

async function chassis({ name, config }: PowerRequest<'ipmi'>, verb: Verb): Promise<PowerCommandResult> {
  const { command, address, user, privilege, timeout } = config;
  const level = privilege === undefined ? [] : ['-L', privilege];
  // -E: the password is in IPMI_PASSWORD, which `ps` does not show.
  const argv = [command, '-I', 'lanplus', '-H', address, '-U', user, ...level, '-E', 'chassis', 'power', verb];
  return await tryPowerCommand(name, argv, timeout, { IPMI_PASSWORD: secret(name, config.passwordEnv) });
}

function refused(name: string, { how, said }: PowerCommandResult): Error {
  const remedy = /privilege level/i.test(said)
    ? 'give power.privilege the level that this user has there: OPERATOR, or USER for the status alone'
    : 'try the command by hand';
  return failed(name, `${how}: ${said}`, remedy);
}
