/** The names that an option goes by, all made from its YAML path: `agent.lineBytesMax`. */

/** Returns the flag: `--agent-line-bytes-max`. */
export function flagNameOf(path: string): string {
  return `--${path.replaceAll('.', '-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Returns the environment variable: `LOGBOOM_AGENT_LINE_BYTES_MAX`. */
export function environmentNameOf(path: string): string {
  return `LOGBOOM_${flagNameOf(path).slice(2).replaceAll('-', '_').toUpperCase()}`;
}
