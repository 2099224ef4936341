import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FairTurns, Turn } from './FairTurns.js';

/** Bytes of a body, or of an answer, that are as much work as an ordinary call. */
const BYTES_A_UNIT = 256 * 1024;

/** Waits until it is a request's turn, which ends with its answer, or when the client leaves. Throws RATE_LIMITED. */
export async function takeTurn(
  turns: FairTurns,
  caller: string,
  { raw, headers }: FastifyRequest,
  reply: FastifyReply,
): Promise<Turn> {
  const turn = await turns.enter(caller, 1 + (Number(headers['content-length']) || 0) / BYTES_A_UNIT);
  const { socket } = raw;
  if (socket.destroyed) turn.leave();
  const writtenBefore = socket.bytesWritten;
  reply.raw.once('close', () => {
    turn.add((socket.bytesWritten - writtenBefore) / BYTES_A_UNIT);
    turn.leave();
  });
  return turn;
}
