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

@ObjectType({ description: 'The connection after a change, or what is wrong with the input.' })
export class ConnectionPayload {
  @Field(() => ConnectionObject, { nullable: true, description: 'As it is now; null when there are userErrors.' })
  connection?: ConnectionObject | null;

  @Field(() => [UserErrorObject], { description: 'What a person can mend. Empty when all went well.' })
  userErrors!: readonly UserErrorObject[];

  /** Absent where nothing can be unusual. */
  warnings?: readonly WarningObject[];
}

@Resolver(() => ConnectionPayload)
export class ConnectionPayloadResolver {
  @FieldResolver(() => [WarningObject], { description: 'What was accepted though it is unusual. Mostly empty; 20 at most.' })
  warnings(@Root() { warnings }: ConnectionPayload): readonly WarningObject[] {
    return warnings ?? [];
  }
}

const ConnectionPage = pageTypes('Connection', 'connections', () => ConnectionObject);

@Resolver(() => ConnectionObject)
export class ConnectionResolver {
  @Query(() => ConnectionObject, { nullable: true, description: 'One connection; null when it is not there or not yours.' })
  connection(
    @Ctx() context: GraphQLContext,
    @Arg('id', () => ID, { nullable: true, description: 'The one with this id. Give exactly one of the two.' })
    id?: string | null,
    @Arg('externalId', () => String, { nullable: true, description: 'The one with this externalId.' }) externalId?: string | null,
  ): Promise<ConnectionObject | null> {
    const { dependencies } = context;
    const caller = context.caller('read', 'connect');
    return lookUp(
      { id, externalId },
      (ours) => findConnection(dependencies, caller, ours),
      (theirs) => findConnectionByExternalId(dependencies, caller, theirs),
    );
  }

  @Query(() => ConnectionPage, { description: 'Your connections, newest first.' })
  connections(
    @Ctx() context: GraphQLContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => ConnectionFilter, { nullable: true, description: 'Only those to which all of this applies.' })
    filter?: ConnectionFilter | null,
  ): Promise<object> {
    const caller = context.caller('read');
    return context.page(() => listConnections(context.dependencies, caller, page, filter ?? {}));
  }

  @Mutation(() => ConnectionPayload, {
    description: 'Creates a connection. A webhook is ACTIVE at once; Klaviyo needs startAuthorization next.',
  })
  createConnection(
    @Ctx() context: GraphQLContext,
    @WholeInput(() => CreateConnectionInput, 'Where events shall go.') input: CreateConnectionInput,
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

  @Mutation(() => ConnectionPayload, { description: 'Changes what is given and leaves the rest.' })
  updateConnection(
    @Ctx() context: GraphQLContext,
    @WholeInput(() => UpdateConnectionInput, 'Which one, and only what changes.') input: UpdateConnectionInput,
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
    description: "Deletes a connection with its subscriptions, and gives the provider's grant back in the background.",
  })
  deleteConnection(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => DeleteConnectionInput, { description: 'Which one.' }) input: DeleteConnectionInput,
  ): Promise<DeletePayload> {
    const caller = context.caller('manage');
    return withUserErrors(async () => ({ deletedId: await deleteConnection(context.dependencies, caller, input) }));
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: 'What keeps an ACTIVE connection from delivering, or soon will, and whose turn it is; null when nothing does.',
  })
  async problem(@Root() connection: Connection, @Ctx() context: GraphQLContext): Promise<string | null> {
    return (await findProblem(connection, context))?.message ?? null;
  }

  @FieldResolver(() => ProblemCodeEnum, {
    nullable: true,
    description: 'The same as problem, for programs; null when nothing does.',
  })
  async problemCode(@Root() connection: Connection, @Ctx() context: GraphQLContext): Promise<ConnectionProblemCode | null> {
    return (await findProblem(connection, context))?.code ?? null;
  }

  @FieldResolver(() => Boolean, {
    description:
      'False when it is DISABLED: statusReasonCode tells SWITCHED_OFF, by somebody, from FAILING and GONE. updateConnection sets it.',
  })
  isEnabled(@Root() { status }: Connection): boolean {
    return status !== 'disabled';
  }

  @FieldResolver(() => ConnectionConfigurationUnion, { description: 'Where it points, without any secret.' })
  async configuration(@Root() connection: Connection, @Ctx() { dependencies, loaders }: GraphQLContext): Promise<object> {
    const type = dependencies.connectionTypes.get(connection.type);
    if (!type) throw new Error(`Connection ${connection.id} is of the type ${connection.type}, which this server has not.`);
    return type.show(connection, {
      credential: () => loaders.credential.load(connection.id),
      isSubscribed: async () => (await loaders.subscribed.load(connection.id)) !== null,
      look: (read, key) => loaders.look(read, key),
    });
  }
}

/** The whole input: type-graphql would drop the fields that come with the connection types. */
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
  /** A sentence or two for people. */
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
 * What keeps an active connection from delivering, or soon will; null when nothing does.
 * `neededScope` is what its deliveries need of a grant; null when it has none to make.
 */
function describeProblem(
  credential: Credential | null,
  health: ConnectionHealth | null,
  neededScope: string | null,
): Problem | null {
  if (credential?.refreshProblem) {
    // A token is renewed ahead of time: as long as the one in hand is good, events go out.
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
    const message = `The destination limits how much it takes; deliveries go on at ${throttledUntil.toISOString()}.`;
    return { code: 'throttled', message };
  }
  return null;
}
