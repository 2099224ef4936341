import { ArgsType, type ClassType, Field, Int, ObjectType, Root } from 'type-graphql';
import { DEFAULT_PAGE_SIZE, MAX_COUNTED, MAX_PAGE_SIZE, type Page, type PageArguments } from '../database/paginate.js';

@ObjectType('PageInfo', { description: 'Where a page stands in its list.' })
class PageInfo {
  @Field(() => Boolean, { description: 'True when older rows follow.' })
  hasNextPage!: boolean;

  @Field(() => Boolean, { description: 'True when newer rows precede.' })
  hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true, description: 'Cursor of the first row of the page.' })
  startCursor!: string | null;

  @Field(() => String, { nullable: true, description: 'Cursor of the last row of the page.' })
  endCursor!: string | null;
}

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

/** Makes the two types of a list, `<Name>Connection` and `<Name>Edge`, and returns the former. `plural` is for its descriptions. */
export function pageTypes<T extends object>(name: string, plural: string, nodeType: () => ClassType<T>): ClassType<object> {
  @ObjectType(`${name}Edge`, { description: `One of a list of ${plural}, with its position.` })
  class Edge {
    @Field(nodeType, { description: 'The row.' })
    node!: T;

    @Field(() => String, { description: 'Its position, for "after" and "before". Opaque.' })
    cursor!: string;
  }

  @ObjectType(`${name}Connection`, { description: `A page of ${plural}, newest first.` })
  class PageOf {
    @Field(() => [Edge], { description: 'The rows with their cursors.' })
    edges!: Edge[];

    @Field(() => PageInfo, { description: 'Where this page stands.' })
    pageInfo!: PageInfo;

    @Field(() => Int, {
      description: `How many there are on all pages, counted when asked for. Exact below ${MAX_COUNTED.toLocaleString('en')}; ${MAX_COUNTED.toLocaleString('en')} means that many or more.`,
    })
    totalCount(@Root() page: Page<T>): Promise<number> {
      return page.totalCount();
    }
  }
  return PageOf;
}
