/** The options of TLS, which stand below `transport.tls` and `store.tls`, and how they are read. */
import type { TlsConfig } from './config.ts';
import type { OptionValues } from './option-values.ts';
import { reportProblem } from './option-values.ts';
import type { OptionDefinition } from './shape.ts';
import type { Problem } from './value-reader.ts';

interface TlsOptionsSetup {
  /** Whom this program talks to, in the plural: `brokers`. */
  readonly peers: string;
  readonly onlyWhen: NonNullable<OptionDefinition['onlyWhen']>;
  readonly since: string;
}

/** Returns the options below a prefix such as `store.tls`. */
export function tlsOptions(
  prefix: string,
  { peers, onlyWhen, since }: TlsOptionsSetup,
): readonly OptionDefinition[] {
  const file = { shape: { kind: 'path' }, onlyWhen, since } as const;
  return [
    {
      ...file,
      path: `${prefix}.caFile`,
      defaultText: "the system's certificates",
      description: `PEM file with the certificates that sign those of the ${peers}.`,
    },
    {
      ...file,
      path: `${prefix}.certificateFile`,
      defaultText: 'none',
      description: 'PEM file with the certificate that this program shows (mutual TLS).',
    },
    {
      ...file,
      path: `${prefix}.keyFile`,
      defaultText: 'none',
      description: 'PEM file with the key of that certificate.',
    },
    {
      path: `${prefix}.isVerified`,
      shape: { kind: 'boolean' },
      onlyWhen,
      default: true,
      description: `Check the certificates of the ${peers}. Without it anybody on the way can read and change records.`,
      since,
    },
  ];
}

/** Reads the options below a prefix, and notes a certificate without its key. */
export function readTls(read: OptionValues, prefix: string, problems: Problem[]): TlsConfig {
  const certificateFile = read.maybeText(`${prefix}.certificateFile`);
  const keyFile = read.maybeText(`${prefix}.keyFile`);
  if ((certificateFile === undefined) !== (keyFile === undefined)) {
    const missing = keyFile === undefined ? 'keyFile' : 'certificateFile';
    const message = 'is missing: a certificate and its key are given together';
    reportProblem(problems, `${prefix}.${missing}`, message);
  }
  const caFile = read.maybeText(`${prefix}.caFile`);
  return { caFile, certificateFile, keyFile, isVerified: read.at(`${prefix}.isVerified`) !== false };
}

/** Whether any file is named: who names one wants TLS. */
export function namesFile({ caFile, certificateFile, keyFile }: TlsConfig): boolean {
  return [caFile, certificateFile, keyFile].some((file) => file !== undefined);
}
