import { GraphQLDateTime, GraphQLJSONObject } from 'graphql-scalars';
import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { Metadata } from '../../domain/Metadata.js';
import { pageTypes } from '../pagination.js';
import { UserErrorObject } from '../userErrors.js';

@ObjectType('OrganizationDeletion', {
  description: 'Progress of the deletion of an organization, in which no caller can act any more.',
})
export class OrganizationDeletionObject {
  @Field(() => GraphQLDateTime, { description: 'When the deletion was requested.' })
  requestedAt!: Date;

  @Field(() => Int, { description: 'Connections erased so far. Their grants are being revoked at the provider.' })
  connectionsErased!: number;

  @Field(() => Float, { description: 'Deliveries erased so far, with their attempts.' })
  deliveriesErased!: number;

  @Field(() => Float, { description: 'Events erased so far.' })
  eventsErased!: number;
}

@ObjectType('Organization', { description: 'A tenant. A caller can reach only its own organization.' })
export class OrganizationObject {
  @Field(() => ID, { description: 'Unique identifier.' })
  id!: number;

  @Field(() => String, { description: 'Display name of the organization.' })
  name!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Id of the organization in the system of the platform that created it; unique.',
  })
  externalId?: string | null;

  @Field(() => GraphQLJSONObject, { description: 'Metadata of the platform.' })
  metadata!: Metadata;

  @Field(() => GraphQLDateTime, { description: 'When the organization was created.' })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, { description: 'When the name or the metadata last changed.' })
  updatedAt!: Date;
}

export const OrganizationPage = pageTypes('Organization', 'organizations', () => OrganizationObject);

@InputType({ description: 'Conditions for a list of organizations.' })
export class OrganizationFilter {
  @Field(() => String, { nullable: true, description: 'Only the organization with this externalId.' })
  externalId?: string | null;
}

@InputType({ description: 'An organization to create or change.' })
export class UpsertOrganizationInput {
  @Field(() => String, {
    description:
      'Id of the organization in your own system: 1 to 200 printable ASCII characters. An organization is created if none has this externalId.',
  })
  externalId!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'Display name; at most 200 characters. When absent, it stays as it is; a new organization is named by its externalId.',
  })
  name?: string | null;

  @Field(() => GraphQLJSONObject, {
    nullable: true,
    description:
      'At most 50 keys of at most 40 characters, with strings of at most 500 characters, numbers, true or false as values. Replaces all metadata; null removes it; when absent, it stays as it is.',
  })
  metadata?: Record<string, unknown> | null;
}

@ObjectType({ description: 'The organization after the change, or the problems of the input.' })
export class UpsertOrganizationPayload {
  @Field(() => OrganizationObject, { nullable: true, description: 'The organization; null when there are userErrors.' })
  organization?: OrganizationObject | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'False when the organization existed already. Null when there are userErrors.',
  })
  created?: boolean | null;

  @Field(() => [UserErrorObject], { description: 'Problems of the input that a person can fix. Empty on success.' })
  userErrors!: readonly UserErrorObject[];
}

@InputType({ description: 'The organization to delete: exactly one of id and externalId.' })
export class DeleteOrganizationInput {
  @Field(() => ID, { nullable: true, description: 'Id of the organization.' })
  id?: string | null;

  @Field(() => String, { nullable: true, description: 'The externalId of the organization.' })
  externalId?: string | null;
}

@ObjectType({ description: 'The organization that is being deleted, or the problems of the input.' })
export class DeleteOrganizationPayload {
  @Field(() => OrganizationObject, {
    nullable: true,
    description: 'The organization; its `deletion` shows the progress. Null when there are userErrors.',
  })
  organization?: OrganizationObject | null;

  @Field(() => [UserErrorObject], { description: 'Problems of the input that a person can fix. Empty on success.' })
  userErrors!: readonly UserErrorObject[];
}
