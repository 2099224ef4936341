import { Field, ObjectType } from 'type-graphql';

@ObjectType('PageInfo', { description: 'Where a page stands in its list.' })
export class PageInfo {
  @Field(() => Boolean, { description: 'True when older rows follow.' })
  hasNextPage!: boolean;

  @Field(() => Boolean, { description: 'True when newer rows precede.' })
  hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true, description: 'Cursor of the first row of the page.' })
  startCursor!: string | null;

  @Field(() => String, { nullable: true, description: 'Cursor of the last row of the page.' })
  endCursor!: string | null;
}
