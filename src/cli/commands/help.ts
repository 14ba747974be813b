import type { Command } from 'commander'
import { didYouMean } from '../../suggest.ts'

/** In place of commander's own, which answers an unknown command with all of the help. */
export function registerHelp(program: Command): void {
  program
    .helpCommand(false)
    .command('help')
    .argument('[command...]')
    .description('print the help of a command')
    .action((names: string[]) => names.reduce(subcommand, program).help())
}

function subcommand(parent: Command, name: string): Command {
  const named = (command: Command) => [command.name(), ...command.aliases()]
  const found = parent.commands.find((command) => named(command).includes(name))
  return found ?? parent.error(`unknown command '${name}'${didYouMean(name, parent.commands.flatMap(named))}`)
}
