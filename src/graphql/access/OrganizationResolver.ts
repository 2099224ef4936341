import { GraphQLDateTime } from 'graphql-scalars';
import { Ctx, Field, ID, ObjectType, Query, Resolver } from 'type-graphql';
import { Organization } from '../../domain/Organization.js';
import type { GraphQLContext } from '../GraphQLContext.js';

@ObjectType('Organization', { description: 'A tenant. A caller sees nothing outside its own.' })
export class OrganizationObject {
  @Field(() => ID, { description: 'Unique identifier.' })
  id!: number;

  @Field(() => String, { description: 'What people call it.' })
  name!: string;

  @Field(() => GraphQLDateTime, { description: 'When it was created.' })
  createdAt!: Date;
}

@Resolver()
export class OrganizationResolver {
  @Query(() => OrganizationObject, { description: "The caller's own organization." })
  organization(@Ctx() context: GraphQLContext): Promise<OrganizationObject> {
    return context.dependencies.database.em().findOneOrFail(Organization, context.caller('read').organizationId);
  }
}
