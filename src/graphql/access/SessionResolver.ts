import { Arg, Args, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { createSession, endSession, findOwnSession, listSessions } from '../../access/sessions.js';
import type { Session } from '../../domain/Session.js';
import { ConnectionObject } from '../connections/connectionTypes.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { PageArgs } from '../pagination.js';
import { withUserErrors } from '../userErrors.js';
import {
  CreateSessionInput,
  CreateSessionPayload,
  EndSessionInput,
  SessionFilter,
  SessionObject,
  SessionPage,
  SessionPayload,
} from './sessionTypes.js';

@Resolver(() => SessionObject)
export class SessionResolver {
  @Query(() => SessionObject, { nullable: true, description: 'The session that calls; null when a key or an access token does.' })
  session(@Ctx() context: GraphQLContext): Promise<SessionObject | null> {
    return findOwnSession(context.dependencies, context.caller('read', 'connect'));
  }

  @Query(() => SessionPage, {
    description: 'The sessions of your organization, newest first, for 30 days after their end. Needs ADMIN.',
  })
  sessions(
    @Ctx() context: GraphQLContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => SessionFilter, { nullable: true, description: 'Only those to which all of this applies.' })
    filter?: SessionFilter | null,
  ): Promise<object> {
    const caller = context.caller('admin');
    return context.page(() => listSessions(context.dependencies, caller, page, filter ?? {}));
  }

  @Mutation(() => CreateSessionPayload, {
    description: 'Gives a browser a short, narrow permission, and shows its token this once. Needs ADMIN.',
  })
  createSession(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => CreateSessionInput, { description: 'What it may do, where, and for how long.' })
    input: CreateSessionInput,
  ): Promise<CreateSessionPayload> {
    const caller = context.caller('admin');
    return withUserErrors(() => createSession(context.dependencies, caller, input));
  }

  @Mutation(() => SessionPayload, {
    description: 'Ends a session at once, everywhere, also on open websockets. Needs ADMIN.',
  })
  endSession(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => EndSessionInput, { description: 'Which one.' }) input: EndSessionInput,
  ): Promise<SessionPayload> {
    const caller = context.caller('admin');
    return withUserErrors(async () => ({ session: await endSession(context.dependencies, caller, input) }));
  }

  @FieldResolver(() => ConnectionObject, {
    nullable: true,
    description: 'The only connection that it may touch; null when it is for all of the organization, or once it is deleted.',
  })
  connection(@Root() { connectionId }: Session, @Ctx() context: GraphQLContext): Promise<ConnectionObject | null> | null {
    return connectionId ? context.loaders.connection.load(connectionId) : null;
  }
}
