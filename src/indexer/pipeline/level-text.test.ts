import assert from 'node:assert/strict';
import { test } from 'node:test';
import { levelOfText } from './level-text.ts';

function levelOf(line: string): string | undefined {
  const bytes = new TextEncoder().encode(JSON.stringify(line));
  return levelOfText(bytes, 1, bytes.length - 1);
}

const LINES: readonly (readonly [line: string, level: string | undefined])[] = [
  ['E1123 04:00:00.000000       1 main.go:12] cannot list pods', 'error'],
  ['I1123 04:00:00.000000       1 main.go:12] started', 'info'],
  ['W1123 04:00:00.000000       1 x] y', 'warn'],
  ['F1123 04:00:00.000000       1 x] y', 'fatal'],
  ['<3>cannot open', 'error'],
  ['<134>Nov 23 04:00:00 node-1 app: x', 'info'],
  ['<0>x', 'fatal'],
  ['<192>x', undefined],
  ['<>x', undefined],
  ['<3 x', undefined],
  ['x <3> y', undefined],
  ['[ERROR] out of tea', 'error'],
  ['[error] out of tea', 'error'],
  ['<warn> out of tea', 'warn'],
  ['INFO:root:hello', 'info'],
  ['ERROR', 'error'],
  ['WARNING: the pot is hot', 'warn'],
  ['2026-11-23 04:00:00.123 ERROR 1 --- [main] c.e.App : broken', 'error'],
  ['2026-11-23 04:00:00,123 - my.module.sub - DEBUG - text', 'debug'],
  ['2026-11-23T04:00:00.123Z\tINFO\tcontroller\tdone', 'info'],
  ['04:00:00.123 [http-nio-8080-exec-1] WARN  c.e.App - slow', 'warn'],
  ['[2026-11-23 04:00:00] production.ERROR: broken', undefined],
  ['[04:00:00 INF] Serilog speaks', 'info'],
  ['2026/11/23 04:00:00 [error] 12#0: *1 open() failed', 'error'],
  ['[Mon Nov 23 04:00:00.123 2026] [core:error] [pid 1] AH00126: Invalid URI', 'error'],
  ['Nov 23 04:00:00 node-1 app[12]: ERROR x', 'error'],
  ['2026-11-23 04:00:00 UTC [1] FATAL:  the database system is starting up', 'fatal'],
  ['ts=2026-11-23T04:00:00Z caller=a.go:1 level=warn msg="x"', 'warn'],
  ['time="2026-11-23T04:00:00Z" level=error msg=x', 'error'],
  ['severity: "critical" x', 'fatal'],
  ['app said {"level":"debug","x":1}', 'debug'],
  ['\u001b[36mINFO\u001b[0m[0000] started', 'info'],
  ['\u001b[32m[INFO]\u001b[0m started', 'info'],
  ['SEVERE: java.util.logging', 'error'],
  ['panic: runtime error: index out of range', 'fatal'],
  ['fail: Microsoft.Hosting.Lifetime[14]', 'error'],
  ['Error: out of tea', 'error'],
  ['error out of tea', undefined],
  ['an error: out of tea', undefined],
  ['2026-11-23 04:00:00 note: error: x', undefined],
  ['retry after ERROR from server', undefined],
  ['GET /ERROR HTTP/1.1', undefined],
  ['10.0.0.1 - - [23/Nov/2026:04:00:00 +0000] "GET /INFO HTTP/1.1" 200 12', undefined],
  ['the level of water is low', undefined],
  ['ERROR_CODE 12', undefined],
  ['INFO2 x', undefined],
  ['Information wants to be free', undefined],
  ['first line\nERROR second line', undefined],
  ['level=9 x', undefined],
  ['', undefined],
  ['ÄERROR x', undefined],
];

test('the level of a line of text is recognised where it stands as one, and only there', () => {
  const seen = LINES.map(([line]) => [line, levelOf(line)]);
  assert.deepEqual(seen, LINES);
});

test('a line that is cut anywhere does not read beyond its end', () => {
  for (const [line] of LINES) {
    const bytes = new TextEncoder().encode(JSON.stringify(line));
    for (let end = 1; end < bytes.length; end++) levelOfText(bytes, 1, end);
  }
});
