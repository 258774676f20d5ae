-- A trading company: codes of letters as keys, three schemas, checks over several columns, an order's totals by trigger.
CREATE SCHEMA sales;
CREATE SCHEMA hr;

CREATE DOMAIN sales.customer_code AS char(5) CHECK (VALUE ~ '^[A-Z]{5}$');
CREATE DOMAIN public.percentage AS real CHECK (VALUE BETWEEN 0 AND 1);
CREATE TYPE public.contact AS (name text, phone text, fax text);

CREATE TABLE categories (
  category_id smallint PRIMARY KEY,
  category_name varchar(15) NOT NULL UNIQUE,
  description text,
  picture bytea
);

CREATE TABLE suppliers (
  supplier_id smallint PRIMARY KEY,
  company_name varchar(40) NOT NULL,
  representative contact NOT NULL,
  city varchar(15),
  country varchar(15),
  homepage text CHECK (homepage IS NULL OR homepage ~* '^https?://')
);

CREATE TABLE products (
  product_id smallint PRIMARY KEY,
  product_name varchar(40) NOT NULL,
  supplier_id smallint REFERENCES suppliers,
  category_id smallint NOT NULL REFERENCES categories,
  quantity_per_unit varchar(20),
  unit_price numeric(10, 4) NOT NULL CHECK (unit_price >= 0),
  list_price numeric(10, 4) NOT NULL,
  units_in_stock smallint NOT NULL CHECK (units_in_stock >= 0),
  units_on_order smallint NOT NULL DEFAULT 0,
  reorder_level smallint NOT NULL,
  discontinued integer NOT NULL CHECK (discontinued IN (0, 1)),
  gtin varchar(14) NOT NULL CHECK (length(gtin) IN (8, 12, 13, 14) AND gtin ~ '^[0-9]+$'),
  CONSTRAINT list_above_unit CHECK (list_price >= unit_price),
  CONSTRAINT reorder_makes_sense CHECK (reorder_level <= units_in_stock + units_on_order + 100)
);

CREATE TABLE hr.region (
  region_id smallint PRIMARY KEY,
  region_description char(60) NOT NULL
);

CREATE TABLE hr.territories (
  territory_id varchar(20) PRIMARY KEY,
  territory_description char(60) NOT NULL,
  region_id smallint NOT NULL REFERENCES hr.region
);

CREATE TABLE hr.employees (
  employee_id smallint PRIMARY KEY,
  last_name varchar(20) NOT NULL,
  first_name varchar(10) NOT NULL,
  title_of_courtesy varchar(25) NOT NULL CHECK (title_of_courtesy = ANY (ARRAY['Ms.', 'Mr.', 'Mx.', 'Dr.'])),
  birth_date date NOT NULL,
  hire_date date NOT NULL,
  left_on date,
  reports_to smallint REFERENCES hr.employees,
  working_hours int4range NOT NULL,
  languages text[] NOT NULL CHECK (cardinality(languages) >= 1),
  CONSTRAINT of_age CHECK (hire_date > birth_date),
  CONSTRAINT leaves_after_coming CHECK (left_on IS NULL OR left_on > hire_date)
);

CREATE TABLE hr.employee_territories (
  employee_id smallint NOT NULL REFERENCES hr.employees,
  territory_id varchar(20) NOT NULL REFERENCES hr.territories,
  PRIMARY KEY (employee_id, territory_id)
);

CREATE TABLE sales.customers (
  customer_id sales.customer_code PRIMARY KEY,
  company_name varchar(40) NOT NULL,
  contact contact,
  region varchar(15),
  postal_code varchar(10),
  country varchar(15) NOT NULL,
  phone varchar(24),
  vat_id varchar(14),
  is_company boolean NOT NULL,
  CONSTRAINT companies_have_vat_id CHECK (NOT is_company OR vat_id IS NOT NULL)
);

CREATE TABLE sales.customer_demographics (
  customer_type_id char(5) PRIMARY KEY,
  customer_desc text
);

CREATE TABLE sales.customer_customer_demo (
  customer_id sales.customer_code NOT NULL REFERENCES sales.customers,
  customer_type_id char(5) NOT NULL REFERENCES sales.customer_demographics,
  PRIMARY KEY (customer_id, customer_type_id)
);

CREATE TABLE sales.shippers (
  shipper_id smallint PRIMARY KEY,
  company_name varchar(40) NOT NULL,
  phone varchar(24),
  website varchar(80) NOT NULL
);

CREATE TABLE sales.orders (
  order_id integer PRIMARY KEY,
  customer_id sales.customer_code NOT NULL REFERENCES sales.customers,
  employee_id smallint NOT NULL REFERENCES hr.employees,
  order_date date NOT NULL,
  required_date date NOT NULL,
  shipped_date date,
  ship_via smallint REFERENCES sales.shippers,
  freight real NOT NULL DEFAULT 0,
  status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'shipped', 'cancelled')),
  total numeric(12, 2) NOT NULL DEFAULT 0,
  CONSTRAINT dates_in_order CHECK (required_date > order_date AND (shipped_date IS NULL OR shipped_date >= order_date)),
  CONSTRAINT shipped_has_date CHECK (CASE WHEN status = 'shipped' THEN shipped_date IS NOT NULL AND ship_via IS NOT NULL ELSE true END)
);

CREATE TABLE sales.order_details (
  order_id integer NOT NULL REFERENCES sales.orders,
  product_id smallint NOT NULL REFERENCES products,
  unit_price real NOT NULL CHECK (unit_price >= 0),
  quantity smallint NOT NULL CHECK (quantity > 0),
  discount percentage NOT NULL,
  PRIMARY KEY (order_id, product_id)
);

-- Reads its parent while the row is inserted: it must be there by then.
CREATE FUNCTION sales.add_to_total() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE sales.orders SET total = total + NEW.unit_price * NEW.quantity WHERE order_id = NEW.order_id;
  IF NOT FOUND THEN RAISE EXCEPTION 'order % is not there', NEW.order_id; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER add_to_total BEFORE INSERT ON sales.order_details FOR EACH ROW EXECUTE FUNCTION sales.add_to_total();

CREATE TABLE us_states (
  state_id smallint NOT NULL PRIMARY KEY,
  state_name varchar(100),
  state_abbr varchar(2) NOT NULL UNIQUE CHECK (state_abbr = upper(state_abbr)),
  state_region varchar(50)
);

-- A check digit: a function says whether it is right.
CREATE FUNCTION hr.iban_is_valid(iban text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}$' AND mod((
    SELECT string_agg(CASE WHEN c ~ '[0-9]' THEN c ELSE (ascii(c) - 55)::text END, '' ORDER BY place)::numeric
    FROM regexp_split_to_table(substr(iban, 5) || left(iban, 4), '') WITH ORDINALITY split(c, place)), 97) = 1
$$;
CREATE TABLE hr.bank_accounts (
  employee_id smallint PRIMARY KEY REFERENCES hr.employees,
  iban text NOT NULL,
  CONSTRAINT iban_has_its_digits CHECK (hr.iban_is_valid(iban))
);
