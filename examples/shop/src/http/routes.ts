import type { Route } from './route.ts'
import { notificationRoutes } from './routes/notifications.ts'
import { onboardingRoutes } from './routes/onboarding.ts'
import { operationRoutes } from './routes/operation.ts'
import { orderRoutes } from './routes/orders.ts'
import { productRoutes } from './routes/products.ts'
import { profileRoutes } from './routes/profiles.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { userRoutes } from './routes/users.ts'

/** Every endpoint of the shop. */
export const routes: readonly Route[] = [
  ...userRoutes,
  ...sessionRoutes,
  ...productRoutes,
  ...orderRoutes,
  ...onboardingRoutes,
  ...profileRoutes,
  ...notificationRoutes,
  ...operationRoutes,
]
