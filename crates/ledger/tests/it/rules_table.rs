//! What rules move, in cents, with the sums done by hand beside each row.
//!
//! `rules_world` says how accounts, rules, runs and plans are written.

use crate::rules_world::run;

#[track_caller]
fn check(rows: &[(&str, &str, &str, &str)]) {
    for (number, (accounts, rule, how, expected)) in rows.iter().enumerate() {
        let plan = run(accounts, rule, how);
        assert_eq!(
            plan,
            *expected,
            "row {}: {rule} with {accounts} {how}",
            number + 1
        );
    }
}

#[test]
fn fixed_amounts() {
    check(&[
        // There is enough.
        (
            "pay 10000; fund 0",
            "fixed 5000 pay>fund",
            "",
            "0: pay>fund 5000",
        ),
        // Exactly enough.
        (
            "pay 5000; fund 0",
            "fixed 5000 pay>fund",
            "",
            "0: pay>fund 5000",
        ),
        // One cent short: all or nothing, and the transfer is kept as one that failed.
        (
            "pay 4999; fund 0",
            "fixed 5000 pay>fund",
            "",
            "0: pay>fund 5000 INSUFFICIENT_FUNDS",
        ),
        // Held money is not there: 6000 - 1500 = 4500.
        (
            "pay 6000 held 1500; fund 0",
            "fixed 5000 pay>fund",
            "",
            "0: pay>fund 5000 INSUFFICIENT_FUNDS",
        ),
        // "Up to" moves the 4500.
        (
            "pay 6000 held 1500; fund 0",
            "fixed 5000 pay>fund upto",
            "",
            "0: pay>fund 4500",
        ),
        // Up to, with less than a dollar there.
        (
            "pay 99; fund 0",
            "fixed 5000 pay>fund upto",
            "",
            "0: #0 SOURCE_EMPTY",
        ),
        (
            "pay 100; fund 0",
            "fixed 5000 pay>fund upto",
            "",
            "0: pay>fund 100",
        ),
        // What was passed on trigger does not change a fixed amount.
        (
            "pay 10000; fund 0",
            "fixed 5000 pay>fund",
            "in 300",
            "0: pay>fund 5000",
        ),
        // A dollar may be moved, 99 cents may not.
        (
            "pay 10000; fund 0",
            "fixed 100 pay>fund",
            "",
            "0: pay>fund 100",
        ),
        (
            "pay 10000; fund 0",
            "fixed 99 pay>fund",
            "",
            "0: pay>fund 99 TRANSFER_AMOUNT_LESS_THAN_ONE_DOLLAR",
        ),
        // Nobody knows what the bank has: the bank will say.
        (
            "bank ext ?; fund 0",
            "fixed 5000 bank>fund",
            "",
            "0: bank>fund 5000",
        ),
        // The bank said 40.00 last.
        (
            "bank ext 4000; fund 0",
            "fixed 5000 bank>fund",
            "",
            "0: bank>fund 5000 INSUFFICIENT_FUNDS",
        ),
    ]);
}

#[test]
fn percentages() {
    check(&[
        // 20 % of 1000.00.
        (
            "pay 100000; fund 0",
            "20% in pay>fund",
            "in 100000",
            "0: pay>fund 20000",
        ),
        // 20 % of 9.99 is 1.998, to the next cent 2.00.
        (
            "pay 100000; fund 0",
            "20% in pay>fund",
            "in 999",
            "0: pay>fund 200",
        ),
        // Half a cent goes to the even one: 2.5 % of 50.20 is 1.255, of 50.60 is 1.265.
        (
            "pay 100000; fund 0",
            "2.5% in pay>fund",
            "in 5020",
            "0: pay>fund 126",
        ),
        (
            "pay 100000; fund 0",
            "2.5% in pay>fund",
            "in 5060",
            "0: pay>fund 126",
        ),
        // The source has more than came in: 50 % of the 1200.00 that are there.
        (
            "pay 120000; fund 0",
            "50% source pay>fund",
            "in 100000",
            "0: pay>fund 60000",
        ),
        // What is held is not part of it: 50 % of 900.00.
        (
            "pay 120000 held 30000; fund 0",
            "50% source pay>fund",
            "",
            "0: pay>fund 45000",
        ),
        // Nothing is known to have come in.
        (
            "pay 120000; fund 0",
            "20% in pay>fund",
            "",
            "0: #0 NOTHING_CAME_IN",
        ),
        // Nothing did.
        (
            "pay 120000; fund 0",
            "20% in pay>fund",
            "in 0",
            "0: #0 NOTHING_TO_MOVE",
        ),
        // 20 % of 4.00 is 80 cents, which no transfer can have.
        (
            "pay 100000; fund 0",
            "20% in pay>fund",
            "in 400",
            "0: pay>fund 80 TRANSFER_AMOUNT_LESS_THAN_ONE_DOLLAR",
        ),
        // 0.00000001 % of a million dollars is a millionth of a cent.
        (
            "pay 100000000; fund 0",
            "0.00000001% source pay>fund",
            "",
            "0: #0 NOTHING_TO_MOVE",
        ),
        // 50 % of what came in is 500.00, and 400.00 are left.
        (
            "pay 40000; fund 0",
            "50% in pay>fund",
            "in 100000",
            "0: pay>fund 50000 INSUFFICIENT_FUNDS",
        ),
        (
            "pay 40000; fund 0",
            "50% in pay>fund upto",
            "in 100000",
            "0: pay>fund 40000",
        ),
        // The bank's balance is not known.
        (
            "bank ext ?; fund 0",
            "50% source bank>fund",
            "",
            "0: #0 NULL_BALANCE",
        ),
    ]);
}

#[test]
fn shares_of_one_amount() {
    check(&[
        // 50 + 30 + 20 of 1000.01: 500.005, 300.003 and 200.002, the odd cent to the first.
        (
            "pay 100001; a 0; b 0; c 0",
            "50% in pay>a; 30% in pay>b; 20% in pay>c",
            "in 100001",
            "0: pay>a 50001, pay>b 30000, pay>c 20000",
        ),
        // They do not cascade: both are of the full amount.
        (
            "pay 100000; a 0; b 0",
            "50% source pay>a; 50% source pay>b",
            "",
            "0: pay>a 50000, pay>b 50000",
        ),
        // Three thirds of 100.00: 3333.33 each and one cent, to the oldest account.
        (
            "pay 10000; a 0; b 0; c 0",
            "33.33333333% source pay>a; 33.33333333% source pay>b; 33.33333334% source pay>c",
            "",
            "0: pay>a 3333, pay>b 3333, pay>c 3334",
        ),
        // Two halves of 10.01: 500.5 each, the cent to a, wherever it stands.
        (
            "pay 1001; a 0; b 0",
            "50% source pay>b; 50% source pay>a",
            "",
            "0: pay>b 500, pay>a 501",
        ),
        // A group after the top-up sees what it left: the vendor's own example.
        (
            "pay 200000; a 0; b 0",
            "topup 50000 pay>a g0; 100% source pay>b g1",
            "in 200000",
            "0: pay>a 50000, pay>b 150000",
        ),
        // In one group neither sees the other: 500.00 and 2000.00 are wanted, 1500.00 are left.
        (
            "pay 200000; a 0; b 0",
            "topup 50000 pay>a; 100% source pay>b",
            "in 200000",
            "0: pay>a 50000, pay>b 200000 INSUFFICIENT_FUNDS",
        ),
        (
            "pay 200000; a 0; b 0",
            "topup 50000 pay>a; 100% source pay>b upto",
            "in 200000",
            "0: pay>a 50000, pay>b 150000",
        ),
        // What came in stays what it was from group to group: 10 % and 10 % of 1000.00.
        (
            "pay 100000; a 0; b 0",
            "10% in pay>a g0; 10% in pay>b g1",
            "in 100000",
            "0: pay>a 10000, pay>b 10000",
        ),
    ]);
}

#[test]
fn top_ups() {
    check(&[
        // 500.00 - 180.00.
        (
            "pay 100000; fund 18000",
            "topup 50000 pay>fund",
            "",
            "0: pay>fund 32000",
        ),
        // What is on its way counts: 500.00 - 180.00 - 20.00.
        (
            "pay 100000; fund 18000 arriving 2000",
            "topup 50000 pay>fund",
            "",
            "0: pay>fund 30000",
        ),
        // Met, and more than met.
        (
            "pay 100000; fund 50000",
            "topup 50000 pay>fund",
            "",
            "0: #0 NOTHING_TO_MOVE",
        ),
        (
            "pay 100000; fund 60000",
            "topup 50000 pay>fund",
            "",
            "0: #0 NOTHING_TO_MOVE",
        ),
        // A top-up moves what there is without being told to.
        (
            "pay 12000; fund 0",
            "topup 50000 pay>fund",
            "",
            "0: pay>fund 12000",
        ),
        // By a card's numbers: minimum 35.00, owed 520.00, statement 480.00; 10.00 are there.
        (
            "pay 100000; fund 1000; card debt 52000 min 3500 last 48000",
            "topup min:card pay>fund",
            "",
            "0: pay>fund 2500",
        ),
        (
            "pay 100000; fund 1000; card debt 52000 min 3500 last 48000",
            "topup owed:card pay>fund",
            "",
            "0: pay>fund 51000",
        ),
        (
            "pay 100000; fund 1000; card debt 52000 min 3500 last 48000",
            "topup last:card pay>fund",
            "",
            "0: pay>fund 47000",
        ),
        // Numbers that nobody reported.
        (
            "pay 100000; fund 0; card debt ?",
            "topup min:card pay>fund",
            "",
            "0: #0 ACCOUNT_NO_MINIMUM_PAYMENT_AMOUNT",
        ),
        (
            "pay 100000; fund 0; card debt ?",
            "topup last:card pay>fund",
            "",
            "0: #0 ACCOUNT_NO_LAST_STATEMENT_BALANCE",
        ),
        (
            "pay 100000; fund 0; card debt ?",
            "topup owed:card pay>fund",
            "",
            "0: #0 NULL_BALANCE",
        ),
        (
            "pay 100000; bank ext ?",
            "topup 5000 pay>bank",
            "",
            "0: #0 NULL_BALANCE",
        ),
        // A bank account of 12.00 that 8.00 are on their way to.
        (
            "pay 100000; bank ext 1200 arriving 800",
            "topup 5000 pay>bank",
            "",
            "0: pay>bank 3000",
        ),
        // The second group sees what the first one sent: 300.00 of 500.00 are there.
        (
            "pay 100000; fund 0",
            "fixed 30000 pay>fund g0; topup 50000 pay>fund g1",
            "",
            "0: pay>fund 30000, pay>fund 20000",
        ),
    ]);
}

#[test]
fn rounding_down() {
    check(&[
        // 2345.67 above a multiple of 100.00 is 45.67.
        (
            "pay 234567; fund 0",
            "round 10000 pay>fund",
            "",
            "0: pay>fund 4567",
        ),
        // 100.00 stay, 2245.67 go.
        (
            "pay 234567; fund 0",
            "round 10000 pay>fund",
            "buffer",
            "0: pay>fund 224567",
        ),
        // A round sum has nothing above it; less than the sum neither.
        (
            "pay 230000; fund 0",
            "round 10000 pay>fund",
            "",
            "0: #0 NOTHING_TO_MOVE",
        ),
        (
            "pay 9000; fund 0",
            "round 10000 pay>fund",
            "buffer",
            "0: #0 NOTHING_TO_MOVE",
        ),
        // 90.00 are all above a multiple of 100.00, which is 0.
        (
            "pay 9000; fund 0",
            "round 10000 pay>fund",
            "",
            "0: pay>fund 9000",
        ),
        // Held money is not looked at: 2345.67 - 45.00 = 2300.67, which is 67 cents too much.
        (
            "pay 234567 held 4500; fund 0",
            "round 10000 pay>fund",
            "",
            "0: pay>fund 67 TRANSFER_AMOUNT_LESS_THAN_ONE_DOLLAR",
        ),
    ]);
}

#[test]
fn paying_debts() {
    let card = "pay 100000; card debt 52000 min 3500 last 48000";
    check(&[
        (card, "minimum pay>card", "", "0: pay>card 3500"),
        (card, "due pay>card", "", "0: pay>card 52000"),
        (card, "statement pay>card", "", "0: pay>card 48000"),
        // 25 % of 520.00.
        (card, "25% owed pay>card", "", "0: pay>card 13000"),
        // 520.00 - 35.00 are still owed when the second group looks.
        (
            card,
            "minimum pay>card g0; due pay>card g1",
            "",
            "0: pay>card 3500, pay>card 48500",
        ),
        (
            "pay 100000; card debt ?",
            "minimum pay>card",
            "",
            "0: #0 ACCOUNT_NO_MINIMUM_PAYMENT_AMOUNT",
        ),
        (
            "pay 100000; card debt ?",
            "statement pay>card",
            "",
            "0: #0 ACCOUNT_NO_LAST_STATEMENT_BALANCE",
        ),
        (
            "pay 100000; card debt ?",
            "due pay>card",
            "",
            "0: #0 NULL_BALANCE",
        ),
        (
            "pay 100000; card debt ?",
            "25% owed pay>card",
            "",
            "0: #0 NULL_BALANCE",
        ),
        // Nothing is owed; the card owes the user.
        (
            "pay 100000; card debt 0",
            "due pay>card",
            "",
            "0: #0 NOTHING_TO_MOVE",
        ),
        (
            "pay 100000; card debt -700",
            "due pay>card",
            "",
            "0: #0 NOTHING_TO_MOVE",
        ),
        // 300.00 for a debt of 520.00.
        (
            "pay 30000; card debt 52000",
            "due pay>card",
            "",
            "0: pay>card 52000 INSUFFICIENT_FUNDS",
        ),
        (
            "pay 30000; card debt 52000",
            "due pay>card upto",
            "",
            "0: pay>card 30000",
        ),
    ]);
}

#[test]
fn avalanche_and_snowball() {
    // Minimums 35.00, 50.00 and 20.00; owed 520.00, 3000.00 and 90.00.
    let debts = "pay 100000; card debt 52000 min 3500; loan debt 300000 min 5000; \
                 shop debt 9000 min 2000";
    check(&[
        // 400.00 - 105.00 minimums = 295.00 for the card, the highest rate: 330.00 in all.
        (
            debts,
            "avalanche 40000 pay>loan@750,card@2499,shop@1200",
            "",
            "0: pay>card 33000, pay>shop 2000, pay>loan 5000",
        ),
        // 295.00: the shop first, 90.00 - 20.00 = 70.00; then the card, 225.00 and its 35.00.
        (
            debts,
            "snowball 40000 pay>loan,card,shop",
            "",
            "0: pay>shop 9000, pay>card 26000, pay>loan 5000",
        ),
        // 60.00 do not cover the minimums: the card's 35.00, the shop's 20.00, 5.00 for the loan.
        (
            debts,
            "avalanche 6000 pay>loan@750,card@2499,shop@1200",
            "",
            "0: pay>card 3500, pay>shop 2000, pay>loan 500",
        ),
        // 55.60: 60 cents for the loan are no transfer and stay.
        (
            debts,
            "avalanche 5560 pay>loan@750,card@2499,shop@1200",
            "",
            "0: pay>card 3500, pay>shop 2000",
        ),
        // 30 % of 2000.00 that came in: 600.00 - 105.00 = 495.00; the card takes its 485.00, the
        // shop 10.00 of its 70.00.
        (
            debts,
            "avalanche 30% in pay>loan@750,card@2499,shop@1200",
            "in 200000",
            "0: pay>card 52000, pay>shop 3000, pay>loan 5000",
        ),
        // No more than is owed: 90.00 and 520.00.
        (
            debts,
            "snowball 90% source pay>card,shop",
            "",
            "0: pay>shop 9000, pay>card 52000",
        ),
        // 300.00 of the 400.00 are there: 195.00 above the minimums, all for the card.
        (
            "pay 30000; card debt 52000 min 3500; loan debt 300000 min 5000; \
             shop debt 9000 min 2000",
            "avalanche 40000 pay>loan@750,card@2499,shop@1200 upto",
            "",
            "0: pay>card 23000, pay>shop 2000, pay>loan 5000",
        ),
        (
            "pay 30000; card debt 52000 min 3500; shop debt 9000",
            "snowball 40000 pay>card,shop",
            "",
            "0: #0 INSUFFICIENT_FUNDS",
        ),
        // Equal debts are taken as they are listed.
        (
            "pay 10000; a debt 5000; b debt 5000",
            "snowball 6000 pay>b,a",
            "",
            "0: pay>b 5000, pay>a 1000",
        ),
        // A debt that is not known stops it all.
        (
            "pay 10000; a debt 5000; b debt ?",
            "snowball 6000 pay>a,b",
            "",
            "0: #0 NULL_BALANCE",
        ),
        (
            "pay 10000; a debt 0; b debt 0",
            "snowball 6000 pay>a,b",
            "",
            "0: #0 NOTHING_TO_MOVE",
        ),
        // A cap on the whole of it: 100.00 less the minimums is nothing.
        (
            debts,
            "avalanche 40000 pay>card@2499,loan@750 cap each 8500",
            "",
            "0: pay>card 3500, pay>loan 5000",
        ),
    ]);
}

#[test]
fn caps() {
    let pay = "pay 100000; a 0; b 0";
    check(&[
        // A cap on each run cuts, and counts nothing.
        (pay, "fixed 5000 pay>a cap each 3000", "", "0: pay>a 3000"),
        (pay, "fixed 5000 pay>a cap each 5000", "", "0: pay>a 5000"),
        // A month: 100.00, of which 70.00 are gone, leaves 30.00; then 100.00 are counted.
        (
            pay,
            "fixed 5000 pay>a cap month 10000",
            "used 0/0 month 2026-11-01 7000",
            "0: pay>a 3000; g0 10000",
        ),
        (
            pay,
            "fixed 5000 pay>a cap month 10000",
            "",
            "0: pay>a 5000; g0 5000",
        ),
        // Used up: skipped, and what follows is done.
        (
            pay,
            "fixed 5000 pay>a cap month 10000 g0; fixed 200 pay>b g1",
            "used 0/0 month 2026-11-01 10000",
            "0: #0 CAP_REACHED, pay>b 200",
        ),
        // 99 cents are left.
        (
            pay,
            "fixed 5000 pay>a cap month 10000",
            "used 0/0 month 2026-11-01 9901",
            "0: #0 CAP_REACHED",
        ),
        // The counter is October's.
        (
            pay,
            "fixed 5000 pay>a cap month 10000",
            "used 0/0 month 2026-10-01 10000",
            "0: pay>a 5000; g0 5000",
        ),
        // Saturday 21 November is in the week of Monday the 16th.
        (
            pay,
            "fixed 5000 pay>a cap week 10000",
            "used 0/0 week 2026-11-16 8000",
            "0: pay>a 2000; g0 10000",
        ),
        // On Monday the 23rd it begins again.
        (
            pay,
            "fixed 5000 pay>a cap week 10000",
            "on 2026-11-23 used 0/0 week 2026-11-16 8000",
            "0: pay>a 5000; g0 5000",
        ),
        (
            pay,
            "fixed 5000 pay>a cap year 10000",
            "used 0/0 year 2026-01-01 8000",
            "0: pay>a 2000; g0 10000",
        ),
        (
            pay,
            "fixed 5000 pay>a cap year 10000",
            "on 2027-01-01 used 0/0 year 2026-01-01 8000",
            "0: pay>a 5000; g0 5000",
        ),
        // 31 December, 23:00 in UTC, is the new year an hour ahead of it.
        (
            pay,
            "fixed 5000 pay>a cap year 10000",
            "on 2026-12-31 at 23 ahead 60 used 0/0 year 2026-01-01 8000",
            "0: pay>a 5000; g0 5000",
        ),
        (
            pay,
            "fixed 5000 pay>a cap year 10000",
            "on 2026-12-31 at 23 used 0/0 year 2026-01-01 8000",
            "0: pay>a 2000; g0 10000",
        ),
        // A group shares its cap in proportion: 60 and 40 of 100.00.
        (
            pay,
            "60% in pay>a cap month 10000; 40% in pay>b",
            "in 50000",
            "0: pay>a 6000, pay>b 4000; g0 10000",
        ),
        // 1 : 1 : 1 of 100.00: the odd cent to the oldest account.
        (
            "pay 100000; a 0; b 0; c 0",
            "fixed 5000 pay>c cap each 10000; fixed 5000 pay>b; fixed 5000 pay>a",
            "",
            "0: pay>c 3333, pay>b 3333, pay>a 3334",
        ),
        // Another group has a counter of its own.
        (
            pay,
            "fixed 5000 pay>a cap month 10000 g0; fixed 5000 pay>b cap month 10000 g1",
            "used 0/0 month 2026-11-01 7000 used 0/1 month 2026-11-01 9000",
            "0: pay>a 3000, pay>b 1000; g0 10000; g1 10000",
        ),
        // And another step.
        (
            pay,
            "if AMOUNT > 0: fixed 5000 pay>a cap month 10000\nelse: fixed 5000 pay>b cap month 10000",
            "used 0/0 month 2026-11-01 10000",
            "1: pay>b 5000; g0 5000",
        ),
        // What is there, then what the cap leaves of it: 40.00 wanted by the cap, 25.00 there.
        (
            "pay 2500; a 0",
            "fixed 5000 pay>a upto cap month 4000",
            "",
            "0: pay>a 2500; g0 2500",
        ),
        // A cap of nothing.
        (pay, "fixed 5000 pay>a cap each 0", "", "0: #0 CAP_REACHED"),
        // A counter beyond a cap that was lowered.
        (
            pay,
            "fixed 5000 pay>a cap month 10000",
            "used 0/0 month 2026-11-01 99000",
            "0: #0 CAP_REACHED",
        ),
    ]);
}

#[test]
fn order_and_shortfalls() {
    check(&[
        // From top to bottom; what comes after a failure is not done.
        (
            "pay 10000; a 0; b 0; c 0",
            "fixed 8000 pay>a; fixed 8000 pay>b; fixed 100 pay>c",
            "",
            "0: pay>a 8000, pay>b 8000 INSUFFICIENT_FUNDS, #2 -",
        ),
        // "Up to" takes the 20.00 that are left; nothing is left for the last, which is no failure.
        (
            "pay 10000; a 0; b 0; c 0",
            "fixed 8000 pay>a; fixed 8000 pay>b upto; fixed 100 pay>c upto",
            "",
            "0: pay>a 8000, pay>b 2000, #2 SOURCE_EMPTY",
        ),
        // Groups run by number, not by place.
        (
            "pay 10000; a 0; b 0",
            "fixed 8000 pay>a g1; fixed 8000 pay>b g0",
            "",
            "0: pay>b 8000, pay>a 8000 INSUFFICIENT_FUNDS",
        ),
        // A failure ends later groups too.
        (
            "pay 10000; a 0; b 0",
            "fixed 20000 pay>a g0; fixed 100 pay>b g1",
            "",
            "0: pay>a 20000 INSUFFICIENT_FUNDS, #1 -",
        ),
        // What arrived on a pod in one group is there for the next.
        (
            "pay 10000; a 0; bank ext ?",
            "fixed 8000 pay>a g0; 50% source a>bank g1",
            "",
            "0: pay>a 8000, a>bank 4000",
        ),
        // In the same group it is not.
        (
            "pay 10000; a 0; bank ext ?",
            "fixed 8000 pay>a; fixed 4000 a>bank",
            "",
            "0: pay>a 8000, a>bank 4000 INSUFFICIENT_FUNDS",
        ),
        // What was pulled from a bank is not there yet.
        (
            "pay 0; bank ext 90000; a 0",
            "fixed 5000 bank>pay g0; fixed 5000 pay>a g1",
            "",
            "0: bank>pay 5000, pay>a 5000 INSUFFICIENT_FUNDS",
        ),
        // Accounts that are closed or blocked.
        (
            "pay 10000; a closed",
            "fixed 500 pay>a",
            "",
            "0: #0 RESOURCE_DELETED",
        ),
        (
            "pay 10000 blocked; a 0",
            "fixed 500 pay>a",
            "",
            "0: #0 PAYMENT_NOT_SUPPORTED",
        ),
        // Nothing of what one action pays is seen by another of its group: 20.00 are missing twice.
        (
            "pay 10000; a 3000",
            "topup 5000 pay>a; topup 5000 pay>a",
            "",
            "0: pay>a 2000, pay>a 2000",
        ),
        // A pod that can record no more.
        (
            "pay 10000; a 9223372036854775800",
            "fixed 500 pay>a",
            "",
            "0: pay>a 500 PAYMENT_FAILED",
        ),
        // What was asked for and answered, or not.
        (
            "pay 10000; a 0",
            "asked pay>a",
            "answer 0/0 2500",
            "0: pay>a 2500",
        ),
        (
            "pay 10000; a 0",
            "asked pay>a",
            "",
            "0: #0 AMOUNT_QUERY_UNANSWERED",
        ),
        (
            "pay 10000; a 0",
            "asked pay>a",
            "answer 0/0 0",
            "0: #0 NOTHING_TO_MOVE",
        ),
    ]);
}

#[test]
fn pretended_amounts() {
    check(&[
        // Shares go by what is pretended, as incoming amount and as balance.
        (
            "pay 90000; a 0",
            "20% in pay>a",
            "pretend 50000",
            "0: pay>a 10000",
        ),
        (
            "pay 90000; a 0",
            "20% source pay>a",
            "pretend 50000",
            "0: pay>a 10000",
        ),
        // Of 500.00 pretended, 100.00 are above a multiple of 400.00.
        (
            "pay 90000; a 0",
            "round 40000 pay>a",
            "pretend 50000",
            "0: pay>a 10000",
        ),
        // A fixed amount does not; and what is really there limits it all.
        (
            "pay 90000; a 0",
            "fixed 60000 pay>a",
            "pretend 50000",
            "0: pay>a 60000",
        ),
        (
            "pay 30000; a 0",
            "80% source pay>a",
            "pretend 50000",
            "0: pay>a 40000 INSUFFICIENT_FUNDS",
        ),
        (
            "pay 30000; a 0",
            "80% source pay>a upto",
            "pretend 50000",
            "0: pay>a 30000",
        ),
        // What a group takes is gone from what is pretended: 500.00 - 100.00, half of it.
        (
            "pay 90000; a 0; b 0",
            "fixed 10000 pay>a g0; 50% source pay>b g1",
            "pretend 50000",
            "0: pay>a 10000, pay>b 20000",
        ),
        // Conditions see it.
        (
            "pay 90000; a 0",
            "if BALANCE > 60000: fixed 100 pay>a\nelse: fixed 200 pay>a",
            "pretend 50000",
            "1: pay>a 200",
        ),
    ]);
}

#[test]
fn conditions_and_steps() {
    let pay = "pay 50000; a 20000; card debt 52000 min 3500 last 48000";
    let rule = |condition: &str| format!("if {condition}: fixed 100 pay>a");
    for (condition, how, holds) in [
        // The trigger's account has 500.00.
        ("BALANCE > 49999", "", true),
        ("BALANCE > 50000", "", false),
        ("BALANCE >= 50000", "", true),
        ("BALANCE < 50000", "", false),
        ("BALANCE <= 50000", "", true),
        ("BALANCE = 50000", "", true),
        ("BALANCE != 50000", "", false),
        // Another account's balance; what a card owes.
        ("BALANCE(a) < 25000", "", true),
        ("BALANCE(card) = 52000", "", true),
        // Facts against facts.
        ("BALANCE > BALANCE(a)", "", true),
        ("BALANCE(a) > MINIMUM(card)", "", true),
        ("BALANCE(a) >= STATEMENT(card)", "", false),
        ("AMOUNT >= MINIMUM(card)", "in 3500", true),
        // No amount is known: nothing about it holds, not even that it is another one.
        ("AMOUNT > 0", "", false),
        ("AMOUNT != 7", "", false),
        ("AMOUNT = 700", "in 700", true),
        ("BALANCE > AMOUNT", "", false),
        // Days of the month, and the last one.
        ("DATE = 21", "", true),
        ("DATE = LAST_DAY", "", false),
        ("DATE = LAST_DAY", "on 2026-11-30", true),
        ("DATE = LAST_DAY", "on 2027-02-28", true),
        ("DATE = LAST_DAY", "on 2028-02-28", false),
        ("DATE = 1", "on 2026-11-30 at 23 ahead 60", true),
        // All and any, nested.
        ("all(BALANCE > 1, DATE = 21)", "", true),
        ("all(BALANCE > 1, DATE = 22)", "", false),
        ("any(BALANCE < 1, DATE = 21)", "", true),
        ("any(BALANCE < 1, DATE = 22)", "", false),
        (
            "all(BALANCE > 1, any(DATE = 22, all(DATE > 20, DATE < 22)))",
            "",
            true,
        ),
        (
            "all(BALANCE > 1, any(DATE = 22, all(DATE > 20, DATE < 21)))",
            "",
            false,
        ),
    ] {
        let expected = if holds { "0: pay>a 100" } else { "no step" };
        assert_eq!(
            run(pay, &rule(condition), how),
            expected,
            "{condition} {how}"
        );
    }
    // The first step that holds is taken, and no other.
    let steps = "if BALANCE > 90000: fixed 100 pay>a\n\
                 if BALANCE > 40000: fixed 200 pay>a\n\
                 if BALANCE > 10000: fixed 300 pay>a\n\
                 else: fixed 400 pay>a";
    check(&[
        ("pay 90001; a 0", steps, "", "0: pay>a 100"),
        ("pay 90000; a 0", steps, "", "1: pay>a 200"),
        ("pay 40000; a 0", steps, "", "2: pay>a 300"),
        ("pay 10000; a 0", steps, "", "3: pay>a 400"),
    ]);
}

/// The rule of the documented example: 20 % of a deposit while there is enough, else up to 50.00.
#[test]
fn the_documented_example() {
    let rule = "if BALANCE > 50000: 20% in pay>fund\nelse: fixed 5000 pay>fund upto";
    check(&[
        ("pay 250000; fund 0", rule, "in 250000", "0: pay>fund 50000"),
        ("pay 50000; fund 0", rule, "in 50000", "1: pay>fund 5000"),
        ("pay 3000; fund 0", rule, "in 3000", "1: pay>fund 3000"),
    ]);
}
