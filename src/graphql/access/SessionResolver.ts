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
  @Query(() => SessionObject, {
    nullable: true,
    description: 'The session of the caller; null when the caller uses a key or an access token.',
  })
  session(@Ctx() context: GraphQLContext): Promise<SessionObject | null> {
    return findOwnSession(context.dependencies, context.caller('read', 'connect'));
  }

  @Query(() => SessionPage, {
    description: 'The sessions of the organization, newest first. They are kept for 30 days after their end. Requires ADMIN.',
  })
  sessions(
    @Ctx() context: GraphQLContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => SessionFilter, { nullable: true, description: 'All conditions of the filter apply.' })
    filter?: SessionFilter | null,
  ): Promise<object> {
    const caller = context.caller('admin');
    return context.page(() => listSessions(context.dependencies, caller, page, filter ?? {}));
  }

  @Mutation(() => CreateSessionPayload, {
    description: 'Creates a session for a browser and returns its token, which is not shown again. Requires ADMIN.',
  })
  createSession(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => CreateSessionInput, { description: 'Permissions, connection, origin and lifetime.' })
    input: CreateSessionInput,
  ): Promise<CreateSessionPayload> {
    const caller = context.caller('admin');
    return withUserErrors(() => createSession(context.dependencies, caller, input));
  }

  @Mutation(() => SessionPayload, {
    description: 'Ends a session at once, in all processes and on open websockets. Requires ADMIN.',
  })
  endSession(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => EndSessionInput, { description: 'The session to end.' }) input: EndSessionInput,
  ): Promise<SessionPayload> {
    const caller = context.caller('admin');
    return withUserErrors(async () => ({ session: await endSession(context.dependencies, caller, input) }));
  }

  @FieldResolver(() => ConnectionObject, {
    nullable: true,
    description:
      'The only connection that the session can reach; null for a session of the whole organization, and once the connection is deleted.',
  })
  connection(@Root() { connectionId }: Session, @Ctx() context: GraphQLContext): Promise<ConnectionObject | null> | null {
    return connectionId ? context.loaders.connection.load(connectionId) : null;
  }
}
