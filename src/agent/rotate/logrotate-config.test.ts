import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLogrotatePath, logrotateConfig } from './logrotate-config.ts';
import { samplePolicy } from './testing/rotate-samples.ts';

void test('a policy becomes a configuration of logrotate', () => {
  const policy = samplePolicy({
    method: 'logrotate',
    size: 1024 ** 3,
    copytruncate: true,
    su: 'www-data www-data',
    compress: 'zstd',
    keep: 5,
  });
  const files = [
    { path: '/data/logs/legacy/web/web-0/log/app.log', isDueByAge: false },
    { path: '/data/logs/legacy/web/web-1/log/app.log', isDueByAge: false },
  ];
  assert.equal(
    logrotateConfig(files, policy),
    `# Written by Logboom from \`rotate\`, anew whenever files come and go.
"/data/logs/legacy/web/web-0/log/app.log"
"/data/logs/legacy/web/web-1/log/app.log" {
    su www-data www-data
    size 1073741824
    rotate -1
    nocompress
    dateext
    dateformat -%Y%m%d-%H%M%S
    missingok
    notifempty
    copytruncate
}
`,
  );
});

void test('writers that open their file again are told so, and files that are due by age are rotated at any size', () => {
  const policy = samplePolicy({
    method: 'logrotate',
    postrotate: 'systemctl reload nginx',
    signal: 'USR1',
    pidFile: "/run/it's.pid",
    missingok: false,
    notifempty: false,
  });
  const text = logrotateConfig([{ path: '/var/log/a.log', isDueByAge: true }], policy);
  assert.match(text, /^ {4}size 1$/m);
  assert.match(text, /^ {4}nomissingok\n {4}ifempty\n {4}create\n {4}sharedscripts\n {4}postrotate$/m);
  assert.match(
    text,
    /^ {4}systemctl reload nginx\n {4}kill -USR1 "\$\(cat '\/run\/it'\\''s.pid'\)"\n {4}endscript$/m,
  );
});

void test('names that a configuration cannot hold are left out', () => {
  assert.ok(isLogrotatePath('/var/log/a b*[1]"\\.log'));
  assert.ok(!isLogrotatePath('/var/log/a{b}.log'));
  assert.ok(!isLogrotatePath('/var/log/a\n/etc/passwd'));
  assert.ok(!isLogrotatePath('var/log/a.log'));
  const policy = samplePolicy({ method: 'logrotate' });
  const files = [
    { path: '/var/log/a\n/etc/passwd', isDueByAge: false },
    { path: '/var/log/b*".log', isDueByAge: false },
  ];
  const text = logrotateConfig(files, policy);
  assert.ok(!text.includes('passwd'));
  assert.ok(text.includes('"/var/log/b\\*\\".log" {'));
});
