import { type ClassType, Field, Int, ObjectType, Root } from 'type-graphql';
import { MAX_COUNTED, type Page } from '../../database/paginate.js';
import { PageInfo } from './PageInfo.js';

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
