/** The width that messages are written for: a terminal's. */
const textWidth = 80

/** `text` with its long lines broken at spaces; what is broken off goes on two columns further in than its line began. */
export function wrapText(text: string, width: number = textWidth): string {
  return text
    .split('\n')
    .flatMap((line) => wrapLine(line, width))
    .join('\n')
}

function wrapLine(line: string, width: number): readonly string[] {
  if (line.length <= width) return [line]
  const indent = /^\s*/.exec(line)?.[0] ?? ''
  const lines: string[] = []
  let current = indent
  for (const word of line.slice(indent.length).split(' ')) {
    const isFirst = current.trim() === ''
    if (!isFirst && current.length + 1 + word.length > width) {
      lines.push(current)
      current = `${indent}  ${word}`
    } else current += isFirst ? word : ` ${word}`
  }
  return [...lines, current]
}

/** `text` with `prefix` before each of its lines. */
export function indentText(text: string, prefix: string): string {
  return text.replaceAll(/^(?=.)/gm, prefix)
}
