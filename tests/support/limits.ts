/** For `StartOptions.through`: no file may become larger, as on a full disk. */
export function filesUpTo(kilobytes: number): string[] {
  return ['bash', '-c', `ulimit -f ${kilobytes}; exec "$@"`, 'bash']
}

/** For `StartOptions.through`: permissions hold for the superuser as well. */
export function heedingPermissions(): string[] {
  const isSuperuser = process.getuid?.() === 0
  return isSuperuser ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search'] : []
}
