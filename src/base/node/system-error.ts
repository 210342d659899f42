import { getSystemErrorMap } from 'node:util';

/** Makes an error like Node's own of a system call's error number. */
export function systemErrorOf(errorNumber: number, call: string): Error {
  const [code, text] = getSystemErrorMap().get(-errorNumber) ?? [`errno ${errorNumber}`, 'unknown error'];
  return Object.assign(new Error(`${code}: ${text}, ${call}`), { code, syscall: call, errno: -errorNumber });
}
