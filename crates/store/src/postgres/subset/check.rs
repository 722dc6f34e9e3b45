//! What one statement may be.

use std::ops::ControlFlow;

use sqlparser::ast::{
    AccessExpr, ArrayElemTypeDef, BinaryOperator, CreateIndex, CreateTable, DataType, Distinct,
    Expr, Function, Ident, LockClause, LockType, Query, Select, SetExpr, Statement, Subscript,
    TableFactor, Visit, Visitor,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

/// None of them reads a clock, draws a number, locks or remembers anything.
const FUNCTIONS: &[&str] = &[
    "coalesce",
    "count",
    "current_schema",
    "current_setting",
    "current_user",
    "greatest",
    "has_schema_privilege",
    "has_table_privilege",
    "least",
    "max",
    "min",
    "nullif",
    "set_config",
    "sum",
    "unnest",
    "version",
];
const OPERATORS: &[BinaryOperator] = &[
    BinaryOperator::And,
    BinaryOperator::Divide,
    BinaryOperator::Eq,
    BinaryOperator::Gt,
    BinaryOperator::GtEq,
    BinaryOperator::Lt,
    BinaryOperator::LtEq,
    BinaryOperator::Minus,
    BinaryOperator::Multiply,
    BinaryOperator::NotEq,
    BinaryOperator::Or,
    BinaryOperator::Plus,
    BinaryOperator::StringConcat,
];
/// Columns that tables have of themselves.
const SYSTEM_COLUMNS: &[&str] = &["cmax", "cmin", "ctid", "oid", "tableoid", "xmax", "xmin"];

type Checked = Result<(), String>;

fn parse(sql: &str) -> Result<Statement, String> {
    let parsed = Parser::parse_sql(&PostgreSqlDialect {}, sql);
    let mut parsed = parsed.map_err(|error| format!("not SQL: {error}"))?;
    match (parsed.pop(), parsed.pop()) {
        (Some(statement), None) => Ok(statement),
        _ => Err("must be one statement".to_owned()),
    }
}

fn allow(is_allowed: bool, what: impl Into<String>) -> Checked {
    is_allowed.then_some(()).ok_or_else(|| what.into())
}

/// Checks a statement; says what is outside of the subset.
pub(super) fn statement(sql: &str) -> Checked {
    let statement = parse(sql)?;
    match &statement {
        Statement::CreateTable(table) => return create_table(table),
        Statement::CreateIndex(index) => return create_index(index),
        Statement::AlterTable { .. } => return add_column(sql, &statement),
        Statement::Drop { .. } => return drop_index(sql, &statement),
        Statement::Query(_)
        | Statement::Insert(_)
        | Statement::Update(_)
        | Statement::Delete(_)
        | Statement::StartTransaction { .. }
        | Statement::Commit { .. }
        | Statement::Rollback {
            savepoint: None, ..
        } => {}
        other => return Err(format!("not a statement of the subset: {other}")),
    }
    match statement.visit(&mut Subset) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(why) => Err(why),
    }
}

/// What is written must be what the allowed parts write: so no other part can be there.
fn create_table(table: &CreateTable) -> Checked {
    let mut parts = Vec::new();
    for column in &table.columns {
        let text = column.to_string();
        let (name, kind) = (&column.name, &column.data_type);
        let is_plain = [format!("{name} {kind}"), format!("{name} {kind} NOT NULL")];
        let is_allowed = is_type(kind) && is_plain.contains(&text);
        allow(is_allowed, format!("column {text}"))?;
        parts.push(text);
    }
    for constraint in &table.constraints {
        let text = constraint.to_string();
        allow(
            text.starts_with("PRIMARY KEY ("),
            format!("constraint {text}"),
        )?;
        parts.push(text);
    }
    allow(table.constraints.len() == 1, "it must have a primary key")?;
    let options = table.table_options.to_string();
    let is_allowed = options.is_empty() || options.starts_with("WITH (fillfactor = ");
    allow(
        is_allowed && !options.contains(','),
        format!("option {options}"),
    )?;
    let plain = format!(
        "CREATE TABLE {} ({}) {options}",
        table.name,
        parts.join(", ")
    );
    allow(
        table.to_string() == plain.trim_end(),
        format!("part of {table}"),
    )
}

/// A column that may be empty is the one change of a table: it costs nothing, and who does not know
/// it goes on.
fn add_column(sql: &str, statement: &Statement) -> Checked {
    let words: Vec<&str> = sql.split_whitespace().collect();
    let ["ALTER", "TABLE", _, "ADD", "COLUMN", _, kind] = *words.as_slice() else {
        return Err(format!("not a statement of the subset: {statement}"));
    };
    let is_plain = ["bigint", "text", "boolean", "bytea"].contains(&kind);
    allow(is_plain, format!("type {kind}"))
}

/// Who has used it goes on, only slower.
fn drop_index(sql: &str, statement: &Statement) -> Checked {
    let words: Vec<&str> = sql.split_whitespace().collect();
    let is_plain = matches!(*words.as_slice(), ["DROP", "INDEX", _]);
    allow(
        is_plain,
        format!("not a statement of the subset: {statement}"),
    )
}

fn create_index(index: &CreateIndex) -> Checked {
    let mut columns = Vec::new();
    for column in &index.columns {
        let text = column.to_string();
        let is_name = matches!(column.column.expr, Expr::Identifier(_));
        let name = text.strip_suffix(" NULLS FIRST").unwrap_or(&text);
        allow(is_name && !name.contains(' '), format!("column {text}"))?;
        columns.push(text);
    }
    let unique = if index.unique { "UNIQUE " } else { "" };
    let Some(name) = &index.name else {
        return Err("an index without a name".to_owned());
    };
    let (table, columns) = (&index.table_name, columns.join(", "));
    let plain = format!("CREATE {unique}INDEX {name} ON {table}({columns})");
    allow(index.to_string() == plain, format!("part of {index}"))
}

fn is_type(kind: &DataType) -> bool {
    match kind {
        DataType::BigInt(None) | DataType::Text | DataType::Boolean | DataType::Bytea => true,
        DataType::Array(ArrayElemTypeDef::SquareBracket(element, None)) => is_type(element),
        _ => false,
    }
}

/// Looks at every part of a statement; breaks with what is not allowed.
struct Subset;

fn flow(checked: Checked) -> ControlFlow<String> {
    match checked {
        Ok(()) => ControlFlow::Continue(()),
        Err(why) => ControlFlow::Break(why),
    }
}

fn function(name: &impl ToString) -> Checked {
    let name = name.to_string().to_lowercase();
    allow(
        FUNCTIONS.contains(&name.as_str()),
        format!("function {name}"),
    )
}

fn lock(lock: &LockClause) -> Checked {
    let is_update = matches!(lock.lock_type, LockType::Update);
    allow(is_update && lock.nonblock.is_none(), lock.to_string())
}

fn call(call: &Function) -> Checked {
    function(&call.name)?;
    allow(call.over.is_none(), format!("window of {call}"))
}

fn select(select: &Select) -> Checked {
    allow(select.into.is_none(), "INTO")?;
    let is_distinct_on = matches!(select.distinct, Some(Distinct::On(_)));
    allow(!is_distinct_on, "DISTINCT ON")
}

impl Visitor for Subset {
    type Break = String;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<String> {
        let changes = matches!(
            *query.body,
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_)
        );
        flow(allow(
            !changes,
            format!("a query that changes data: {query}"),
        ))?;
        flow(query.locks.iter().try_for_each(lock))
    }

    fn pre_visit_select(&mut self, this: &Select) -> ControlFlow<String> {
        flow(select(this))
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<String> {
        flow(match factor {
            TableFactor::Table {
                args: Some(_),
                name,
                ..
            } => function(name),
            TableFactor::Table { .. }
            | TableFactor::Derived { .. }
            | TableFactor::UNNEST { .. }
            | TableFactor::NestedJoin { .. } => Ok(()),
            TableFactor::Function { name, .. } => function(name),
            other => Err(format!("table {other}")),
        })
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<String> {
        flow(match expr {
            Expr::Function(this) => call(this),
            Expr::Cast { data_type, .. } => allow(is_type(data_type), format!("type {data_type}")),
            Expr::CompoundFieldAccess { access_chain, .. } => {
                let is_index = |access: &AccessExpr| {
                    matches!(access, AccessExpr::Subscript(Subscript::Index { .. }))
                };
                allow(access_chain.iter().all(is_index), format!("part {expr}"))
            }
            Expr::BinaryOp { op, .. } => allow(OPERATORS.contains(op), format!("operator {op}")),
            _ => Ok(()),
        })
    }

    fn pre_visit_ident(&mut self, ident: &Ident) -> ControlFlow<String> {
        let name = ident.value.to_lowercase();
        let is_system = SYSTEM_COLUMNS.contains(&name.as_str());
        flow(allow(!is_system, format!("column {name}")))
    }
}
