import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Answer, sendAnswer } from '../web/answer.js';
import type { Endpoint } from './faultBox.js';
import { inflictFault } from './inflictFault.js';
import type { KlaviyoContext } from './klaviyoContext.js';

/** Answers a request with what `act` says, unless a fault waits for it: then before the work is done, or after. */
export async function withFaults(
  endpoint: Endpoint,
  context: KlaviyoContext,
  request: FastifyRequest,
  reply: FastifyReply,
  act: () => Answer,
): Promise<FastifyReply> {
  const fault = context.faults.takeInterruption(endpoint);
  if (!fault) return sendAnswer(reply, act());
  context.counters.faults += 1;
  const answer = fault.afterEffect ? act() : undefined;
  if (fault.kind === 'slow') {
    await context.held.delay((fault.seconds ?? 5) * 1_000, request);
    return sendAnswer(reply, answer ?? act());
  }
  return inflictFault(fault, endpoint, context, request, reply);
}
