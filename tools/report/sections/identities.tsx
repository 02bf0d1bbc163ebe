import type { VNode } from "preact";

import type { Identities as Model } from "../identities";
import { Badge, Lines, Section, Table } from "../parts";
import type { Policies } from "../policies";

/** Who is who in the mesh, and who lets in whom. */
export function Identities(props: { readonly identities: Model; readonly policies?: Policies }): VNode {
  const { identities, defaultPolicies } = props.identities;
  return (
    <Section id="identities" title="Identities and policies">
      {defaultPolicies.length > 0 && (
        <Table
          caption="What proxies do with connections that no Server describes"
          columns={["Policy", "Clients without an identity", "Pods", "Namespaces"]}
          rows={defaultPolicies.map(({ policy, isOpen, pods, namespaces }) => [
            policy,
            isOpen ? <Badge result="warning" word="let in" /> : <Badge result="ok" word="refused" />,
            pods,
            <Lines lines={namespaces} more="more namespaces" first={3} />,
          ])}
        />
      )}
      <ServerTables policies={props.policies} />
      {identities.length === 0 ? (
        <p>No pod has an identity.</p>
      ) : (
        <Table
          caption="Identities"
          columns={["Identity", "Pods", "Workloads"]}
          rows={identities.map(({ identity, pods, workloads }) => [
            identity,
            pods,
            <Lines lines={workloads} more="more workloads" first={3} />,
          ])}
        />
      )}
    </Section>
  );
}

function ServerTables({ policies }: { readonly policies?: Policies }): VNode {
  if (policies === undefined) {
    return (
      <p>
        Policies were not read: the user must not list them. The Role is in <code>docs/report.md</code>.
      </p>
    );
  }
  const { servers, wider } = policies;
  return (
    <>
      {servers.length === 0 ? (
        <p>No port has a policy of its own (a Server).</p>
      ) : (
        <Table
          caption="Ports with a policy of their own"
          columns={["Server", "Port", "Meshed pods", "Who may connect"]}
          rows={servers.map(({ server, port, pods, clients }) => [
            server,
            port,
            pods === 0 ? <Badge result="warning" word="selects none" /> : pods,
            clients.length === 0 ? "nobody" : <Lines lines={clients} more="more" />,
          ])}
        />
      )}
      {wider.length > 0 && (
        <Table
          caption="Policies for routes and namespaces"
          columns={["Policy", "Target", "Who may connect"]}
          rows={wider.map(({ policy, target, clients }) => [policy, target, clients])}
        />
      )}
    </>
  );
}
