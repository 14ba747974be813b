// Named here, for a dynamic import of a bundled CommonJS package loses its names.
export { parse as parseYaml } from 'yaml'
