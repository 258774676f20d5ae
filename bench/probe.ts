import { openFactoryArm } from './arms/factory.ts'
const arm = await openFactoryArm()
for (let i = 0; i < 12; i++) {
  for (const name of ['ten thousand rows', 'ten thousand rows by hand'] as const) {
    const ms = await Promise.race([arm.measures[name]!(1), new Promise<string>((r) => setTimeout(() => r('HUNG'), 40000))])
    console.log(i, name, ms)
    if (ms === 'HUNG') process.exit(1)
  }
}
await arm.close()
