import { GraphQLDateTime, GraphQLJSONObject } from 'graphql-scalars';
import { Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { Metadata } from '../../domain/Metadata.js';
import { pageTypes } from '../pagination.js';
import { UserErrorObject } from '../userErrors.js';

@ObjectType('OrganizationDeletion', { description: 'How far the deletion of an organization is. Nobody acts in it any more.' })
export class OrganizationDeletionObject {
  @Field(() => GraphQLDateTime, { description: 'When it was asked for.' })
  requestedAt!: Date;

  @Field(() => Int, { description: 'Connections that are gone so far; the grants of their providers are being revoked.' })
  connectionsErased!: number;

  @Field(() => Float, { description: 'Deliveries, with their attempts, that are gone so far.' })
  deliveriesErased!: number;

  @Field(() => Float, { description: 'Events that are gone so far.' })
  eventsErased!: number;
}

@ObjectType('Organization', { description: 'A tenant. A caller sees nothing outside its own.' })
export class OrganizationObject {
  @Field(() => ID, { description: 'Unique identifier.' })
  id!: number;

  @Field(() => String, { description: 'What people call it.' })
  name!: string;

  @Field(() => String, { nullable: true, description: 'What the platform that made it calls it; unique.' })
  externalId?: string | null;

  @Field(() => GraphQLJSONObject, { description: 'What the platform noted on it.' })
  metadata!: Metadata;

  @Field(() => GraphQLDateTime, { description: 'When it was created.' })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, { description: 'When its name or metadata last changed.' })
  updatedAt!: Date;
}

export const OrganizationPage = pageTypes('Organization', 'organizations', () => OrganizationObject);

@InputType({ description: 'Which organizations to list.' })
export class OrganizationFilter {
  @Field(() => String, { nullable: true, description: 'Only the one with this externalId.' })
  externalId?: string | null;
}

@InputType({ description: 'An organization as it shall be.' })
export class UpsertOrganizationInput {
  @Field(() => String, {
    description: 'What you call it: 1 to 200 printable ASCII characters. It is made if there is none of this externalId.',
  })
  externalId!: string;

  @Field(() => String, {
    nullable: true,
    description: 'What people call it; at most 200 characters. As it was when not given; of a new one, the externalId.',
  })
  name?: string | null;

  @Field(() => GraphQLJSONObject, {
    nullable: true,
    description:
      'At most 50 keys of at most 40 characters; texts of at most 500, numbers, true or false. Replaces all of it; null empties it; as it was when not given.',
  })
  metadata?: Record<string, unknown> | null;
}

@ObjectType({ description: 'The organization as it is now, or what is wrong with the input.' })
export class UpsertOrganizationPayload {
  @Field(() => OrganizationObject, { nullable: true, description: 'The organization; null when there are userErrors.' })
  organization?: OrganizationObject | null;

  @Field(() => Boolean, { nullable: true, description: 'False: it was there already. Null when there are userErrors.' })
  created?: boolean | null;

  @Field(() => [UserErrorObject], { description: 'What a person can mend. Empty when all went well.' })
  userErrors!: readonly UserErrorObject[];
}

@InputType({ description: 'Which organization to delete: exactly one of the two.' })
export class DeleteOrganizationInput {
  @Field(() => ID, { nullable: true, description: 'By its id.' })
  id?: string | null;

  @Field(() => String, { nullable: true, description: 'By its externalId.' })
  externalId?: string | null;
}

@ObjectType({ description: 'The organization that is being deleted, or what is wrong with the input.' })
export class DeleteOrganizationPayload {
  @Field(() => OrganizationObject, {
    nullable: true,
    description: 'As it is until it is gone; `deletion` says how far that is. Null when there are userErrors.',
  })
  organization?: OrganizationObject | null;

  @Field(() => [UserErrorObject], { description: 'What a person can mend. Empty when all went well.' })
  userErrors!: readonly UserErrorObject[];
}
