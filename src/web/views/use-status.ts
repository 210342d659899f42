import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { AuditAnswer, ReadinessAnswer, SourcesAnswer, StatsAnswer } from '../../api/api-types.ts';
import { ApiFailure, fetchReadiness, fetchResource } from '../api-client.ts';
import { after } from '../browser.ts';
import type { Proof } from '../model/proof.ts';
import { PROOF_CHECKING, proofOf } from '../model/proof.ts';

/** A full disk should show within seconds, and go away as fast when it is mended. */
const READINESS_MS = 5000;

/** The audit reads the whole store: it may wait until the first search is drawn, and need not run often. */
const AUDIT_AFTER_MS = 1500;
const AUDIT_EVERY_MS = 120_000;

/** What was written when the audit began is stored by then, unless something is wrong. */
const AUDIT_WAIT_MS = 5000;

/** Until nothing is on its way any more, the next look comes sooner. */
const AUDIT_SOON_MS = 45_000;

/** What keeps the server from collecting; undefined before the first answer. */
export function useReadiness(): ReadinessAnswer | undefined {
  const result = useQuery({
    queryKey: ['readiness'],
    queryFn: ({ signal }) => fetchReadiness(signal),
    refetchInterval: READINESS_MS,
    retry: false,
  });
  const { data, error } = result;
  if (!(error instanceof ApiFailure)) return data;
  return { ready: false, problems: [{ part: 'server', reason: error.message }], warnings: [] };
}

/** What the header says of the audit. */
export function useProof(): Proof {
  const [isIdle, setIsIdle] = useState(false);
  useEffect(() => after(AUDIT_AFTER_MS, () => setIsIdle(true)), []);
  const result = useQuery({
    queryKey: ['audit'],
    queryFn: ({ signal }) => fetchResource<AuditAnswer>('/audit', signal, { waitMs: String(AUDIT_WAIT_MS) }),
    enabled: isIdle,
    refetchInterval: (query) => (query.state.data?.verdict === 'unknown' ? AUDIT_SOON_MS : AUDIT_EVERY_MS),
  });
  if (result.data !== undefined) return proofOf(result.data);
  const failure = result.error ?? result.failureReason;
  if (failure === null) return PROOF_CHECKING;
  return { text: 'audit not available', title: failure.message, isProblem: false };
}

export function useStats(isEnabled: boolean): { data: StatsAnswer | undefined; isSettled: boolean } {
  const result = useQuery({
    queryKey: ['stats'],
    queryFn: ({ signal }) => fetchResource<StatsAnswer>('/stats', signal),
    enabled: isEnabled,
    staleTime: READINESS_MS,
  });
  return { data: result.data, isSettled: result.isSuccess || result.isError };
}

export function useSources(): { data: SourcesAnswer | undefined; error: Error | null } {
  const result = useQuery({
    queryKey: ['sources'],
    queryFn: ({ signal }) => fetchResource<SourcesAnswer>('/sources', signal),
    refetchInterval: READINESS_MS,
  });
  return { data: result.data, error: result.error ?? result.failureReason };
}
