import type { CodegenConfig } from '@graphql-codegen/cli';

/** Types for a frontend: copy this beside your package.json, and run `npx graphql-codegen`. */
const config: CodegenConfig = {
  schema: 'http://localhost:4000/graphql',
  documents: 'src/**/*.ts',
  generates: {
    'src/gql/': {
      preset: 'client',
      config: {
        strictScalars: true,
        scalars: {
          DateTime: 'string',
          EmailAddress: 'string',
          JSONObject: 'Record<string, unknown>',
          PhoneNumber: 'string',
          URL: 'string',
        },
      },
    },
  },
};
export default config;
