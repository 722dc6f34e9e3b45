// Balances over the coming days, a line for each account. The legend is a table beside it: it can be
// read, and each line can be hidden.

import 'uplot/dist/uPlot.min.css';

import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { Link } from 'react-router';
import uPlot from 'uplot';

import { money } from '../../money';
import { useTenant } from '../../tenant';
import { day } from '../../time';
import { Amount } from '../../ui';
import type { Series } from './forecast';

/** Colours that stylesheets give, in `forecast.css`. */
const COLOURS = 8;
const HEIGHT = 320;

/** A chart is drawn, not styled: it needs colours as they come out in light or dark. */
function colour(frame: HTMLElement, name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  frame.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

const DARK = '(prefers-color-scheme: dark)';

function useDark(): boolean {
  return useSyncExternalStore(
    (tell) => {
      const media = matchMedia(DARK);
      media.addEventListener('change', tell);
      return () => media.removeEventListener('change', tell);
    },
    () => matchMedia(DARK).matches,
  );
}

/** `$1,200` for an axis: whole units. */
function short(minor: number, currency: string): string {
  return money(Math.round(minor), currency).replace(/[.,]0+$/, '');
}

/** `7 Dec`. */
function axisDay(seconds: number): string {
  return day(new Date(seconds * 1000).toISOString())
    .split(' ')
    .slice(0, 2)
    .join(' ');
}

interface Props {
  days: number[];
  lines: Series[];
  currency: string;
}

export function BalanceChart({ days, lines, currency }: Props) {
  const tenant = useTenant().id;
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [at, setAt] = useState<number | null>(null);
  const toggle = (id: string) =>
    setHidden((was) => {
      const now = new Set(was);
      if (!now.delete(id)) now.add(id);
      return now;
    });
  // The same list while only the pointer moves: another one is drawn anew.
  const shown = useMemo(() => lines.filter(({ id }) => !hidden.has(id)), [lines, hidden]);
  const index = at ?? days.length - 1;
  const date = new Date((days[index] ?? 0) * 1000).toISOString();
  return (
    <div className="balance-chart">
      <Plot days={days} lines={shown} currency={currency} onDay={setAt} />
      <div className="table-frame">
        <table>
          <thead>
            <tr>
              <th scope="col">Account</th>
              <th scope="col" className="right">
                {at === null ? `At the end, ${day(date)}` : `On ${day(date)}`}
              </th>
              <th scope="col" className="right">
                Least
              </th>
              <th scope="col">on</th>
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => (
              <tr key={line.id}>
                <td>
                  <span className="legend">
                    <input
                      type="checkbox"
                      aria-label={`Show ${line.name}`}
                      checked={!hidden.has(line.id)}
                      onChange={() => toggle(line.id)}
                    />
                    <span className={`swatch series-${line.nth % COLOURS}`} />
                    <Link to={`/${tenant}/accounts/${line.id}`}>{line.name}</Link>
                  </span>
                </td>
                <td className="right">
                  <Amount minor={line.balances[index] ?? 0} currency={currency} />
                </td>
                <td className={`right ${line.lowest < 0 ? 'below' : ''}`}>
                  <Amount minor={line.lowest} currency={currency} />
                </td>
                <td>{day(line.lowestAt)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function Plot({ days, lines, currency, onDay }: Props & { onDay: (index: number | null) => void }) {
  const frame = useRef<HTMLDivElement>(null);
  const dark = useDark();
  useEffect(() => {
    const shown = frame.current;
    if (!shown) return;
    const stepped = uPlot.paths.stepped?.({ align: 1 });
    const ink = colour(shown, '--ink-2');
    const edge = colour(shown, '--edge');
    const axis = { stroke: ink, grid: { stroke: edge, width: 1 }, ticks: { stroke: edge, width: 1 } };
    const plot = new uPlot(
      {
        width: shown.clientWidth,
        height: HEIGHT,
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false } },
        scales: { y: { range: (_, least, most) => range(least, most) } },
        axes: [
          { ...axis, values: (_, splits) => splits.map(axisDay) },
          { ...axis, size: 80, values: (_, splits) => splits.map((minor) => short(minor, currency)) },
        ],
        series: [
          {},
          ...lines.map(({ name, nth }) => ({
            label: name,
            stroke: colour(shown, `--series-${nth % COLOURS}`),
            width: 2,
            points: { show: false },
            // A balance stays until something moves it.
            ...(stepped && { paths: stepped }),
          })),
        ],
        hooks: { setCursor: [({ cursor }) => onDay(cursor.idx ?? null)] },
      },
      [days, ...lines.map(({ balances }) => balances)],
      shown,
    );
    const sizes = new ResizeObserver(() => plot.setSize({ width: shown.clientWidth, height: HEIGHT }));
    sizes.observe(shown);
    return () => {
      sizes.disconnect();
      plot.destroy();
    };
  }, [days, lines, currency, dark, onDay]);
  return <div ref={frame} className="plot" role="img" aria-label="Balances over the coming days" />;
}

/** From nothing, or from below it, up to a little above the most. */
function range(least: number, most: number): [number, number] {
  const low = Math.min(0, least);
  return [low, most > low ? most + (most - low) / 20 : low + 100];
}
