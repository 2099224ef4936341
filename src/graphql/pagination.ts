import { ArgsType, type ClassType, Ctx, Field, Int, ObjectType, Root } from 'type-graphql';
import { DEFAULT_PAGE_SIZE, MAX_COUNTED, MAX_PAGE_SIZE, type Page, type PageArguments } from '../database/paginate.js';
import type { GraphQLContext } from './GraphQLContext.js';

@ObjectType('PageInfo', { description: 'The position of a page in its list.' })
class PageInfo {
  @Field(() => Boolean, { description: 'True when there are older rows.' })
  hasNextPage!: boolean;

  @Field(() => Boolean, { description: 'True when there are newer rows.' })
  hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true, description: 'Cursor of the first row of the page.' })
  startCursor!: string | null;

  @Field(() => String, { nullable: true, description: 'Cursor of the last row of the page.' })
  endCursor!: string | null;
}

/** Rows that cost as much to count as one costs to read. */
const COUNTED_A_ROW = 100;

/** The arguments of every list (GraphQL Cursor Connections Specification, section 4). Rows are sorted newest first. */
@ArgsType()
export class PageArgs implements PageArguments {
  @Field(() => Int, {
    nullable: true,
    description: `Number of rows from the newest on: ${DEFAULT_PAGE_SIZE} by default, at most ${MAX_PAGE_SIZE}.`,
  })
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'Only rows after this cursor, which are older.' })
  after?: string | null;

  @Field(() => Int, { nullable: true, description: `Number of rows from the oldest on: at most ${MAX_PAGE_SIZE}.` })
  last?: number | null;

  @Field(() => String, { nullable: true, description: 'Only rows before this cursor, which are newer.' })
  before?: string | null;
}

/** Returns the type `<Name>Connection` of a list, with its type `<Name>Edge`. `plural` is used in the descriptions. */
export function pageTypes<T extends object>(name: string, plural: string, nodeType: () => ClassType<T>): ClassType<object> {
  @ObjectType(`${name}Edge`, { description: `A row of a list of ${plural}, with its cursor.` })
  class Edge {
    @Field(nodeType, { description: 'The row.' })
    node!: T;

    @Field(() => String, { description: 'Opaque position of the row, for the arguments after and before.' })
    cursor!: string;
  }

  @ObjectType(`${name}Connection`, { description: `A page of ${plural}, newest first.` })
  class PageOf {
    @Field(() => [Edge], { description: 'The rows of the page, with their cursors.' })
    edges!: Edge[];

    @Field(() => PageInfo, { description: 'The position of the page in the list.' })
    pageInfo!: PageInfo;

    @Field(() => Int, {
      description: `Number of rows on all pages, counted when this field is selected. Exact below ${MAX_COUNTED.toLocaleString('en')}; ${MAX_COUNTED.toLocaleString('en')} means that many or more.`,
    })
    totalCount(@Root() page: Page<T>, @Ctx() { budget }: GraphQLContext): Promise<number> {
      return budget.read(page.totalCount, (count) => 1 + Math.floor(count / COUNTED_A_ROW));
    }
  }
  return PageOf;
}
