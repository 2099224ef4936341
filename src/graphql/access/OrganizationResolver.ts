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
      "The caller's own organization. A platform that acts for none names one by id or externalId. Null when it does not exist or is not yours.",
  })
  organization(
    @Ctx() context: GraphQLContext,
    @Arg('id', () => ID, { nullable: true, description: 'Id of the organization.' }) id?: string | null,
    @Arg('externalId', () => String, { nullable: true, description: 'The externalId of the organization.' }) externalId?:
      | string
      | null,
  ): Promise<OrganizationObject | null> {
    const { dependencies, possibleCaller } = context;
    const who = possibleCaller?.organizationId === null ? possibleCaller : context.caller('read');
    return findOrganization(dependencies, who, { id, externalId });
  }

  @Query(() => OrganizationPage, { description: 'All organizations, newest first. For platforms.' })
  organizations(
    @Ctx() context: GraphQLContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => OrganizationFilter, { nullable: true, description: 'All conditions of the filter apply.' })
    filter?: OrganizationFilter | null,
  ): Promise<object> {
    const platform = context.platform();
    return context.page(() => listOrganizations(context.dependencies, platform, page, filter ?? {}));
  }

  @Mutation(() => UpsertOrganizationPayload, {
    description:
      'Creates an organization, or changes the one with this externalId. The same call can be repeated, also concurrently, without further effect. For platforms.',
  })
  upsertOrganization(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => UpsertOrganizationInput, { description: 'The externalId, the name and the metadata.' })
    input: UpsertOrganizationInput,
  ): Promise<UpsertOrganizationPayload> {
    const platform = context.platform();
    return withUserErrors(() => upsertOrganization(context.dependencies, platform, input));
  }

  @Mutation(() => DeleteOrganizationPayload, {
    description:
      'Deletes an organization permanently. Its deliveries stop and its keys, access tokens and sessions end at once; its grants are revoked and its data is erased in the background. The same call can be repeated without further effect. For platforms.',
  })
  deleteOrganization(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => DeleteOrganizationInput, { description: 'The organization to delete.' }) input: DeleteOrganizationInput,
  ): Promise<DeleteOrganizationPayload> {
    const platform = context.platform();
    return withUserErrors(async () => ({ organization: await deleteOrganization(context.dependencies, platform, input) }));
  }

  @FieldResolver(() => OrganizationDeletionObject, {
    nullable: true,
    description: 'Progress of the deletion; null when none was requested.',
  })
  deletion(@Root() { id }: Organization, @Ctx() { loaders }: GraphQLContext): Promise<OrganizationDeletionObject | null> {
    return loaders.deletion.load(id);
  }
}
