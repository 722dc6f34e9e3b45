// Accounts as places, rules as ways between them, money as what moves on them.

import '@xyflow/react/dist/style.css';

import {
  BaseEdge,
  Controls,
  type Edge,
  EdgeLabelRenderer,
  type EdgeProps,
  getBezierPath,
  Handle,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
} from '@xyflow/react';
import { useEffect, useMemo, useState } from 'react';
import { useNavigate } from 'react-router';

import type { Account, Rule, Transfer } from '../../api/client';
import { useOnEvents } from '../../live';
import { money } from '../../money';
import { useTenant } from '../../tenant';
import { type Flow, flows, OUTSIDE, place, type Spot, TRAVEL_MS, ways } from './graph';

/** The sizes of a place, as in money.css. They are given, not measured: a place never waits to be shown. */
const HEIGHT = 74;
const WIDTH = 190;
const OUTSIDE_WIDTH = 132;
/** Money that is moving at once; more is a blur. */
const MOVING_MAX = 60;

type PlaceNode = Node<{ spot: Spot; arrived: number }, 'place'>;
type WayEdge = Edge<{ says: string[]; enabled: boolean; known: boolean; moving: Flow[] }, 'way'>;

const KINDS: Record<string, string> = {
  income_source: 'income',
  pod: 'pod',
  prepaid_card: 'prepaid card',
  debit_card: 'debit card',
};

export function MoneyMap({ accounts, rules }: { accounts: Account[]; rules: Rule[] }) {
  const tenant = useTenant();
  const navigate = useNavigate();
  const known = useMemo(() => ways(rules), [rules]);
  const spots = useMemo(() => place(accounts, known), [accounts, known]);
  const shown = useMemo(() => new Set(spots.map(({ id }) => id)), [spots]);
  const moving = useMoving(shown);

  const nodes = useMemo(
    () =>
      spots.map((spot): PlaceNode => ({
        id: spot.id,
        type: 'place',
        position: { x: spot.x, y: spot.y },
        data: { spot, arrived: moving.filter(({ to }) => to === spot.id).length },
        draggable: false,
        ...size(spot),
        ariaLabel: spot.account?.name ?? 'The outside',
      })),
    [spots, moving],
  );
  const edges = useMemo(() => {
    const all = new Map<string, WayEdge>();
    const names = new Map(spots.map(({ id, account }) => [id, account?.name]));
    const edge = (from: string, to: string): WayEdge => {
      const id = `${from}>${to}`;
      const found = all.get(id);
      if (found) return found;
      const data = { says: [], enabled: false, known: false, moving: [] };
      const ariaLabel = `${names.get(from) ?? 'the outside'} to ${names.get(to) ?? 'the outside'}`;
      const made: WayEdge = { id, type: 'way', source: from, target: to, data, ariaLabel };
      all.set(id, made);
      return made;
    };
    for (const way of known) {
      if (!shown.has(way.from) || !shown.has(way.to)) continue;
      const { id, data } = edge(way.from, way.to);
      all.set(id, { ...edge(way.from, way.to), data: { ...data, ...way, known: true, moving: [] } });
    }
    for (const flow of moving) edge(flow.from, flow.to).data?.moving.push(flow);
    return [...all.values()];
  }, [known, spots, shown, moving]);

  return (
    <div className="map" data-testid="map">
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={NODES}
        edgeTypes={EDGES}
        fitView
        fitViewOptions={{ padding: 0.06, maxZoom: 1.1 }}
        minZoom={0.2}
        nodesConnectable={false}
        elementsSelectable={false}
        proOptions={{ hideAttribution: true }}
        onNodeClick={(_, { id }) => {
          if (id !== OUTSIDE) void navigate(`/${tenant.id}/accounts/${id}`);
        }}
      >
        <Controls showInteractive={false} />
      </ReactFlow>
    </div>
  );
}

/** How large a place is, and where ways end and begin. */
function size({ account }: Spot): Pick<PlaceNode, 'measured' | 'width' | 'height' | 'handles'> {
  const width = account ? WIDTH : OUTSIDE_WIDTH;
  const middle = { y: HEIGHT / 2, width: 1, height: 1 };
  return {
    width,
    height: HEIGHT,
    measured: { width, height: HEIGHT },
    handles: [
      { type: 'target', position: Position.Left, x: 0, ...middle },
      { type: 'source', position: Position.Right, x: width, ...middle },
    ],
  };
}

/** What is on its way between the shown accounts. */
function useMoving(shown: ReadonlySet<string>): Flow[] {
  const [moving, setMoving] = useState<(Flow & { until: number })[]>([]);
  useOnEvents((events) => {
    const transfers = events
      .filter(({ type }) => type === 'transfer.created')
      .map(({ data }) => (data as { object?: Transfer }).object)
      .filter((transfer) => transfer !== undefined);
    const now = performance.now();
    const begun = flows(transfers, shown).map((flow) => ({
      ...flow,
      until: now + flow.delay + TRAVEL_MS + 1_500,
    }));
    if (begun.length > 0) setMoving((was) => [...was, ...begun].slice(-MOVING_MAX));
  });
  const nextEnd = moving[0]?.until;
  useEffect(() => {
    if (nextEnd === undefined) return;
    const ending = setTimeout(
      () => setMoving((was) => was.filter(({ until }) => until > performance.now())),
      Math.max(50, nextEnd - performance.now()),
    );
    return () => clearTimeout(ending);
  }, [nextEnd]);
  return moving;
}

function PlaceBox({ data: { spot, arrived } }: NodeProps<PlaceNode>) {
  const { account } = spot;
  const kind = account
    ? (KINDS[account.type] ?? account.external_account_type?.toLowerCase() ?? 'elsewhere')
    : '';
  const balance = account && (account.reported_balance ?? account.balance);
  return (
    <div className={`place ${account ? account.type : 'outside'} ${arrived > 0 ? 'arriving' : ''}`}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <div className="place-name">{account ? account.name : 'The outside'}</div>
      <div className="place-kind">
        {kind}
        {account?.state === 'blocked' && <span className="state warn">blocked</span>}
        {account && account.held > 0 && <span>{money(account.held, account.currency)} held</span>}
      </div>
      {account && balance !== null && balance !== undefined && (
        <div className="place-balance">{money(balance, account.currency)}</div>
      )}
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  );
}

/** Where a way's label stands: near its end, where ways that begin together have parted. */
function towards({ sourceX, sourceY, targetX, targetY }: EdgeProps<WayEdge>): [number, number] {
  const t = 0.7;
  const bend = 3 * t * t - 2 * t ** 3;
  const along = 1.5 * t * (1 - t) ** 2 + 1.5 * t * t * (1 - t) + t ** 3;
  return [sourceX + (targetX - sourceX) * along, sourceY + (targetY - sourceY) * bend];
}

function WayLine(props: EdgeProps<WayEdge>) {
  const [path] = getBezierPath(props);
  const [labelX, labelY] = towards(props);
  const { says = [], enabled = false, known = false, moving = [] } = props.data ?? {};
  const kind = `${known ? (enabled ? 'enabled' : 'disabled') : 'once'} ${moving.length > 0 ? 'moving' : ''}`;
  return (
    <>
      <BaseEdge id={props.id} path={path} className={`way ${kind}`} />
      {moving.map((flow) => (
        <circle
          key={flow.id}
          r={6}
          className="coin"
          style={{
            offsetPath: `path("${path}")`,
            animationDelay: `${flow.delay}ms`,
            animationDuration: `${TRAVEL_MS}ms`,
          }}
        />
      ))}
      <EdgeLabelRenderer>
        {(moving.length > 0 || says.length > 0) && (
          <div
            className={`way-label ${moving.length > 0 ? 'moving' : ''}`}
            style={{ transform: `translate(-50%, -50%) translate(${labelX}px, ${labelY}px)` }}
          >
            {moving.length > 0
              ? moving.map((flow) => <div key={flow.id}>{money(flow.minor, flow.currency)}</div>)
              : says.join(', ')}
          </div>
        )}
      </EdgeLabelRenderer>
    </>
  );
}

const NODES = { place: PlaceBox };
const EDGES = { way: WayLine };
