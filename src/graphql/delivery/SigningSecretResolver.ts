import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { revealSigningSecret } from '../../delivery/revealSigningSecret.js';
import { rotateSigningSecret } from '../../delivery/rotateSigningSecret.js';
import { withUserErrors } from '../errors/withUserErrors.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { SigningSecretInput } from './deliveryInputs.js';
import { SigningSecretPayload } from './deliveryPayloads.js';

@Resolver()
export class SigningSecretResolver {
  @Mutation(() => SigningSecretPayload, {
    description: 'Shows the secret with which a receiver verifies deliveries (Standard Webhooks). Needs ADMIN.',
  })
  revealSigningSecret(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => SigningSecretInput, { description: 'Of which connection.' }) input: SigningSecretInput,
  ): Promise<SigningSecretPayload> {
    const caller = context.caller('admin');
    return withUserErrors(() => revealSigningSecret(context.dependencies, caller, input));
  }

  @Mutation(() => SigningSecretPayload, {
    description: 'Makes a new secret; the one before signs as well for 24 hours. Needs ADMIN.',
  })
  rotateSigningSecret(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => SigningSecretInput, { description: 'Of which connection.' }) input: SigningSecretInput,
  ): Promise<SigningSecretPayload> {
    const caller = context.caller('admin');
    return withUserErrors(() => rotateSigningSecret(context.dependencies, caller, input));
  }
}
