import { type GraphQLInputType, type GraphQLSchema, getNamedType, isInputObjectType, isObjectType } from 'graphql';

/** Returns every place of a schema that takes an id, as `Type.field(argument.field)`. */
export function findIdPlaces(schema: GraphQLSchema): string[] {
  return Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .filter(({ name }) => !name.startsWith('__'))
    .flatMap((type) =>
      Object.values(type.getFields()).flatMap((field) =>
        field.args.flatMap((argument) =>
          pathsToIds(argument.name, argument.type).map((path) => `${type.name}.${field.name}(${path})`),
        ),
      ),
    );
}

function pathsToIds(path: string, type: GraphQLInputType, seen: readonly string[] = []): string[] {
  const named = getNamedType(type);
  if (isInputObjectType(named)) {
    if (seen.includes(named.name)) return [];
    return Object.values(named.getFields()).flatMap((field) =>
      pathsToIds(`${path}.${field.name}`, field.type, [...seen, named.name]),
    );
  }
  // `externalId` and `anonymousId` name a person or an object in another system.
  const name = path.split('.').at(-1) as string;
  return named.name === 'ID' || (/(^id|Id|Ids)$/.test(name) && !/^(external|anonymous)Id$/.test(name)) ? [path] : [];
}
