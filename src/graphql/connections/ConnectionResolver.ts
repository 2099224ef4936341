import {
  Arg,
  Args,
  type ClassType,
  Ctx,
  createParameterDecorator,
  Field,
  FieldResolver,
  ID,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import { warningsOf } from '../../connections/ConnectionRules.js';
import { createConnection } from '../../connections/createConnection.js';
import { deleteConnection } from '../../connections/deleteConnection.js';
import { findConnection, findConnectionByExternalId, listConnections } from '../../connections/listConnections.js';
import { updateConnection } from '../../connections/updateConnection.js';
import type { ConnectionHealth } from '../../delivery/listDeliveries.js';
import type { Connection } from '../../domain/Connection.js';
import type { Credential } from '../../domain/Credential.js';
import { InputError } from '../../domain/errors.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { lookUp } from '../lookUp.js';
import { PageArgs, pageTypes } from '../pagination.js';
import { DeletePayload, UserErrorObject, WarningObject, withUserErrors } from '../userErrors.js';
import {
  ConnectionConfigurationUnion,
  ConnectionFilter,
  ConnectionObject,
  type ConnectionProblemCode,
  CreateConnectionInput,
  DeleteConnectionInput,
  ProblemCodeEnum,
  UpdateConnectionInput,
} from './connectionTypes.js';

@ObjectType({ description: 'The connection after the change, or the problems of the input.' })
export class ConnectionPayload {
  @Field(() => ConnectionObject, { nullable: true, description: 'The connection; null when there are userErrors.' })
  connection?: ConnectionObject | null;

  @Field(() => [UserErrorObject], { description: 'Problems of the input that a person can fix. Empty on success.' })
  userErrors!: readonly UserErrorObject[];

  /** Absent for mutations that have no warnings. */
  warnings?: readonly WarningObject[];
}

@Resolver(() => ConnectionPayload)
export class ConnectionPayloadResolver {
  @FieldResolver(() => [WarningObject], { description: 'Unusual parts of the input, which were accepted. At most 20.' })
  warnings(@Root() { warnings }: ConnectionPayload): readonly WarningObject[] {
    return warnings ?? [];
  }
}

const ConnectionPage = pageTypes('Connection', 'connections', () => ConnectionObject);

@Resolver(() => ConnectionObject)
export class ConnectionResolver {
  @Query(() => ConnectionObject, {
    nullable: true,
    description: 'Returns a connection, or null when it does not exist or is not yours. Give exactly one of the arguments.',
  })
  connection(
    @Ctx() context: GraphQLContext,
    @Arg('id', () => ID, { nullable: true, description: 'Id of the connection.' })
    id?: string | null,
    @Arg('externalId', () => String, { nullable: true, description: 'The externalId of the connection.' }) externalId?:
      | string
      | null,
  ): Promise<ConnectionObject | null> {
    const { dependencies } = context;
    const caller = context.caller('read', 'connect');
    return lookUp(
      { id, externalId },
      (ours) => findConnection(dependencies, caller, ours),
      (theirs) => findConnectionByExternalId(dependencies, caller, theirs),
    );
  }

  @Query(() => ConnectionPage, { description: 'The connections of the organization, newest first.' })
  connections(
    @Ctx() context: GraphQLContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => ConnectionFilter, { nullable: true, description: 'All conditions of the filter apply.' })
    filter?: ConnectionFilter | null,
  ): Promise<object> {
    const caller = context.caller('read');
    return context.page(() => listConnections(context.dependencies, caller, page, filter ?? {}));
  }

  @Mutation(() => ConnectionPayload, {
    description: 'Creates a connection. A webhook is ACTIVE at once; a Klaviyo connection needs startAuthorization next.',
  })
  createConnection(
    @Ctx() context: GraphQLContext,
    @WholeInput(() => CreateConnectionInput, 'The type, the name and the configuration.') input: CreateConnectionInput,
  ): Promise<ConnectionPayload> {
    const caller = context.caller('manage');
    return withUserErrors(() =>
      withConfigurations(context, input, async (whole) => {
        const type = input.type ?? Object.keys((input as Configured).configuration ?? {})[0];
        const connection = await createConnection(context.dependencies, caller, { ...whole, type });
        return { connection, warnings: warningsOf(context.dependencies, whole) };
      }),
    );
  }

  @Mutation(() => ConnectionPayload, { description: 'Changes a connection. Absent fields stay as they are.' })
  updateConnection(
    @Ctx() context: GraphQLContext,
    @WholeInput(() => UpdateConnectionInput, 'The connection, and the fields to change.') input: UpdateConnectionInput,
  ): Promise<ConnectionPayload> {
    const caller = context.caller('manage');
    return withUserErrors(() =>
      withConfigurations(context, input, async (whole) => ({
        connection: await updateConnection(context.dependencies, caller, whole),
        warnings: warningsOf(context.dependencies, whole),
      })),
    );
  }

  @Mutation(() => DeletePayload, {
    description: "Deletes a connection with its subscriptions. The provider's grant is revoked in the background.",
  })
  deleteConnection(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => DeleteConnectionInput, { description: 'The connection to delete.' }) input: DeleteConnectionInput,
  ): Promise<DeletePayload> {
    const caller = context.caller('manage');
    return withUserErrors(async () => ({ deletedId: await deleteConnection(context.dependencies, caller, input) }));
  }

  @FieldResolver(() => String, {
    nullable: true,
    description:
      'The problem that keeps an ACTIVE connection from delivering, or soon will, and who must act; null without a problem.',
  })
  async problem(@Root() connection: Connection, @Ctx() context: GraphQLContext): Promise<string | null> {
    return (await findProblem(connection, context))?.message ?? null;
  }

  @FieldResolver(() => ProblemCodeEnum, {
    nullable: true,
    description: 'The problem, for programs; null without a problem.',
  })
  async problemCode(@Root() connection: Connection, @Ctx() context: GraphQLContext): Promise<ConnectionProblemCode | null> {
    return (await findProblem(connection, context))?.code ?? null;
  }

  @FieldResolver(() => Boolean, {
    description:
      'False when the status is DISABLED. statusReasonCode distinguishes SWITCHED_OFF, by a person, from FAILING and GONE. updateConnection changes it.',
  })
  isEnabled(@Root() { status }: Connection): boolean {
    return status !== 'disabled';
  }

  @FieldResolver(() => ConnectionConfigurationUnion, { description: 'The configuration, without secrets.' })
  async configuration(@Root() connection: Connection, @Ctx() { dependencies, loaders }: GraphQLContext): Promise<object> {
    const type = dependencies.connectionTypes.get(connection.type);
    if (!type) throw new Error(`Connection ${connection.id} is of the type ${connection.type}, which this server does not have.`);
    return type.show(connection, {
      credential: () => loaders.credential.load(connection.id),
      isSubscribed: async () => (await loaders.subscribed.load(connection.id)) !== null,
      look: (read, key) => loaders.look(read, key),
    });
  }
}

/** Passes the whole input. type-graphql would remove the fields that the connection types add. */
function WholeInput(type: () => ClassType, description: string) {
  const arg = { name: 'input', typeFunc: type, options: { description } };
  return createParameterDecorator(({ args }) => args.input, { arg });
}

/** The part of an input that `buildSchema` adds. */
interface Configured {
  /** One entry, by the name of a connection type (a OneOf input object). */
  readonly configuration?: Readonly<Record<string, object>> | null;
}

/**
 * Calls `work` with the configurations of an input by the name of their type, whether they came in `configuration` or in the
 * deprecated fields of the types. What `work` reports of `configuration` gets a path that begins with it.
 * Throws an InputError: INVALID when the input has both.
 */
async function withConfigurations<Input extends object>(
  { dependencies }: GraphQLContext,
  input: Input & Configured,
  work: (whole: Input & { configurations: Record<string, object> }) => Promise<Omit<ConnectionPayload, 'userErrors'>>,
): Promise<Omit<ConnectionPayload, 'userErrors'>> {
  const { configuration } = input;
  const fields = input as Readonly<Record<string, object | null | undefined>>;
  const given = [...dependencies.connectionTypes.keys()].filter((name) => fields[name]);
  if (!configuration) {
    return work({ ...input, configurations: Object.fromEntries(given.map((name) => [name, fields[name] as object])) });
  }
  if (given[0]) {
    throw InputError.of('INVALID', `Give either "configuration" or "${given[0]}", which is deprecated.`, given[0]);
  }
  const placed = <Report extends { readonly path: readonly string[] }>(report: Report): Report => {
    const isInside = dependencies.connectionTypes.has(report.path[0] ?? '');
    return isInside ? { ...report, path: ['configuration', ...report.path] } : report;
  };
  try {
    const { connection, warnings = [] } = await work({ ...input, configurations: { ...configuration } });
    return { connection, warnings: warnings.map(placed) };
  } catch (error) {
    throw error instanceof InputError ? new InputError(error.problems.map(placed)) : error;
  }
}

interface Problem {
  readonly code: ConnectionProblemCode;
  /** One or two sentences for a person. */
  readonly message: string;
}

async function findProblem({ id, type, status }: Connection, { loaders, dependencies }: GraphQLContext): Promise<Problem | null> {
  if (status !== 'active') return null;
  const provider = dependencies.providers.get(type) ?? null;
  const [credential, health, subscribed] = await Promise.all([
    loaders.credential.load(id),
    loaders.health.load(id),
    provider && loaders.subscribed.load(id),
  ]);
  return describeProblem(credential, health, subscribed && provider ? provider.deliveryScope : null);
}

/**
 * Returns the problem that keeps an active connection from delivering, or soon will; null without one.
 * `neededScope` is the scope that deliveries need; null when the connection has no subscription or needs no grant.
 */
function describeProblem(
  credential: Credential | null,
  health: ConnectionHealth | null,
  neededScope: string | null,
): Problem | null {
  if (credential?.refreshProblem) {
    // A token is refreshed before it expires. Events are delivered as long as the current token is valid.
    const waits = credential.expiresAt.getTime() <= Date.now();
    const message = waits ? `${credential.refreshProblem} Events wait meanwhile.` : credential.refreshProblem;
    return { code: 'refresh_failing', message };
  }
  if (neededScope && credential?.accessToken && !credential.scopes.includes(neededScope)) {
    const message = `The grant lacks the scope ${neededScope}, so the next event will be held: connect again and allow it.`;
    return { code: 'scope_missing', message };
  }
  const { failingSince, throttledUntil } = health ?? {};
  if (failingSince) {
    const message = `Deliveries have been failing since ${failingSince.toISOString()}; their attempts say why.`;
    return { code: 'deliveries_failing', message };
  }
  if (throttledUntil) {
    const message = `The destination limits its requests; deliveries continue at ${throttledUntil.toISOString()}.`;
    return { code: 'throttled', message };
  }
  return null;
}
