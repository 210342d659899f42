import { execFileSync } from 'node:child_process';
import path from 'node:path';

export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** Makes a certificate for localhost that is signed by itself, in PEM files of this directory; needs `openssl`. */
export function makeCertificate(directory: string, name: string): CertificateFiles {
  const certificate = path.join(directory, `${name}.crt`);
  const key = path.join(directory, `${name}.key`);
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const output = ['-keyout', key, '-out', certificate, '-days', '2'];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...output, ...subject], {
    stdio: 'ignore',
  });
  return { certificate, key };
}
