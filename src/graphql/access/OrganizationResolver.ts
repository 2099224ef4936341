import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { deleteOrganization } from '../../access/deleteOrganization.js';
import { findOrganization, listOrganizations, upsertOrganization } from '../../access/organizations.js';
import type { Organization } from '../../domain/Organization.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { PageArgs } from '../pagination.js';
import { withUserErrors } from '../userErrors.js';
import {
  DeleteOrganizationInput,
  DeleteOrganizationPayload,
  OrganizationDeletionObject,
  OrganizationFilter,
  OrganizationObject,
  OrganizationPage,
  UpsertOrganizationInput,
  UpsertOrganizationPayload,
} from './organizationTypes.js';

@Resolver(() => OrganizationObject)
export class OrganizationResolver {
  @Query(() => OrganizationObject, {
    nullable: true,
    description:
      "The caller's own organization. A platform that acts for none names one by id or externalId; null when there is none, or when it is not yours.",
  })
  organization(
    @Ctx() context: GraphQLContext,
    @Arg('id', () => ID, { nullable: true, description: 'The one with this id.' }) id?: string | null,
    @Arg('externalId', () => String, { nullable: true, description: 'The one with this externalId.' }) externalId?: string | null,
  ): Promise<OrganizationObject | null> {
    const { dependencies, possibleCaller } = context;
    const who = possibleCaller?.organizationId === null ? possibleCaller : context.caller('read');
    return findOrganization(dependencies, who, { id, externalId });
  }

  @Query(() => OrganizationPage, { description: 'Every organization, newest first. For platforms.' })
  organizations(
    @Ctx() context: GraphQLContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => OrganizationFilter, { nullable: true, description: 'Only those to which all of this applies.' })
    filter?: OrganizationFilter | null,
  ): Promise<object> {
    const platform = context.platform();
    return context.page(() => listOrganizations(context.dependencies, platform, page, filter ?? {}));
  }

  @Mutation(() => UpsertOrganizationPayload, {
    description:
      'Makes an organization, or changes the one with this externalId. Asking again changes nothing, however many do so at once. For platforms.',
  })
  upsertOrganization(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => UpsertOrganizationInput, { description: 'What it shall be.' }) input: UpsertOrganizationInput,
  ): Promise<UpsertOrganizationPayload> {
    const platform = context.platform();
    return withUserErrors(() => upsertOrganization(context.dependencies, platform, input));
  }

  @Mutation(() => DeleteOrganizationPayload, {
    description:
      'Deletes an organization for good. Deliveries stop, and its keys and tokens end, at once; grants are revoked and everything is erased in the background. Asking again changes nothing. For platforms.',
  })
  deleteOrganization(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => DeleteOrganizationInput, { description: 'Which one.' }) input: DeleteOrganizationInput,
  ): Promise<DeleteOrganizationPayload> {
    const platform = context.platform();
    return withUserErrors(async () => ({ organization: await deleteOrganization(context.dependencies, platform, input) }));
  }

  @FieldResolver(() => OrganizationDeletionObject, {
    nullable: true,
    description: 'How far its deletion is; null while nobody asked for that.',
  })
  deletion(@Root() { id }: Organization, @Ctx() { loaders }: GraphQLContext): Promise<OrganizationDeletionObject | null> {
    return loaders.deletion.load(id);
  }
}
