// Written by `npx vivarium types` from the database that the migrations make. Do not edit:
// run it again when they change. `npx vivarium types --check` fails while this file says something else.

export type Role = 'admin' | 'member'

export interface Tables {
  nodes: {
    row: {
      id: number
      parent_id: number | null
    }
    insert: {
      parent_id?: number | null
    }
    parents: {
      parent: 'nodes'
    }
  }
  order_items: {
    row: {
      order_id: number
      product_id: number
      quantity: number
      unit_price_cents: number
    }
    insert: {
      order_id: number
      product_id: number
      quantity: number
      unit_price_cents: number
    }
    parents: {
      order: 'orders'
      product: 'products'
    }
  }
  orders: {
    row: {
      id: number
      user_id: number
      approver_id: number | null
      status: string
      total_cents: number
      created_at: Date
    }
    insert: {
      user_id: number
      approver_id?: number | null
      status?: string
      total_cents: number
      created_at?: Date | string
    }
    parents: {
      approver: 'users'
      user: 'users'
    }
  }
  products: {
    row: {
      id: number
      name: string
      price_cents: number
    }
    insert: {
      name: string
      price_cents: number
    }
    parents: object
  }
  users: {
    row: {
      id: number
      email: string
      name: string
      role: Role
      card_token: string | null
      preferences: unknown
      created_at: Date
    }
    insert: {
      email: string
      name: string
      role?: Role
      card_token?: string | null
      preferences?: unknown
      created_at?: Date | string
    }
    parents: object
  }
}
