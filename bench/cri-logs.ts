/** Logs of containers as the kubelet's runtime writes them, for agents to follow. */
import { appendFileSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const TICKS_PER_SECOND = 20;

/** Lines that are made once and written again and again: more than go into one batch. */
const BLOCK_LINES = 4096;

/** Returns the path of a pod's log below `root`; its directories are there then. */
export function criPathOf(root: string, file: number): string {
  const pod = `shop_checkout-7d9c4b-${file}_3f0c5b1e-2f6d-4f0e-9b0e-${String(file).padStart(12, '0')}`;
  const container = path.join(root, pod, 'app');
  mkdirSync(container, { recursive: true });
  return path.join(container, '0.log');
}

/** CRI lines of about 216 bytes with ids that differ. */
export function makeCriLines(count: number): string {
  let text = '';
  for (let index = 0; index < count; index++) {
    const id = Math.floor(Math.random() * 1e15).toString(36);
    text +=
      `2026-11-23T04:30:${String(index % 60).padStart(2, '0')}.${String(100000000 + index)}Z stdout F ` +
      `level=info msg="request finished" method=GET path=/api/v2/orders/${id} status=200 ` +
      `duration=${(Math.random() * 100).toFixed(3)}ms user=${id} trace=${id}${id} peer=10.42.0.17\n`;
  }
  return text;
}

/** Fills the logs of `files` pods below `root` with about `bytes` together; returns what stands there. */
export function fillFiles(
  root: string,
  files: number,
  bytes: number,
): { readonly rawBytes: number; readonly lineCount: number } {
  const block = makeCriLines(BLOCK_LINES);
  let rawBytes = 0;
  for (let file = 0; file < files; file++) {
    const target = criPathOf(root, file);
    while ((statSync(target, { throwIfNoEntry: false })?.size ?? 0) < bytes / files)
      appendFileSync(target, block);
    rawBytes += statSync(target).size;
  }
  return { rawBytes, lineCount: Math.round(rawBytes / block.length) * BLOCK_LINES };
}

/** Appends lines to the logs of `files` pods at a constant rate, for `seconds`. */
export async function writeSteadily(
  root: string,
  options: { readonly files: number; readonly linesPerSecond: number; readonly seconds: number },
): Promise<void> {
  const { files, linesPerSecond, seconds } = options;
  const block = makeCriLines(linesPerSecond / TICKS_PER_SECOND / files);
  const started = performance.now();
  for (let tick = 0; tick < seconds * TICKS_PER_SECOND; tick++) {
    for (let file = 0; file < files; file++) appendFileSync(criPathOf(root, file), block);
    await sleep(Math.max(0, started + ((tick + 1) * 1000) / TICKS_PER_SECOND - performance.now()));
  }
}
