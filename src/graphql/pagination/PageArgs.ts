import { ArgsType, Field, Int } from 'type-graphql';
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, type PageArguments } from '../../database/paginate.js';

/** The arguments of every list (GraphQL Cursor Connections Specification, section 4). */
@ArgsType()
export class PageArgs implements PageArguments {
  @Field(() => Int, {
    nullable: true,
    description: `How many, from the newest on: ${DEFAULT_PAGE_SIZE} if not given, ${MAX_PAGE_SIZE} at most.`,
  })
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'Only what comes after this cursor: older rows.' })
  after?: string | null;

  @Field(() => Int, { nullable: true, description: `How many, from the oldest on: ${MAX_PAGE_SIZE} at most.` })
  last?: number | null;

  @Field(() => String, { nullable: true, description: 'Only what comes before this cursor: newer rows.' })
  before?: string | null;
}
