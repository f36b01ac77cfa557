import type { TestProject } from 'vitest/node';

/** Original positions of projects before they were moved. */
const askedOrders = new WeakMap<TestProject, number>();

/**
 * vitest runs projects with the same `sequence.groupOrder` concurrently, and rejects them if they have different
 * numbers of workers, as projects on different backends may. They become separate groups, in the user's order. May be
 * called again whenever a number has changed.
 */
export function separateGroups(projects: readonly TestProject[]): void {
  const groups = projects.map((project) => {
    const order = askedOrders.get(project) ?? project.config.sequence.groupOrder;
    askedOrders.set(project, order);
    // A project without a number has the root's, so all of these have the same.
    return { project, order, workers: project.config.maxWorkers || project.vitest.config.maxWorkers || 0 };
  });
  const distinct = new Map(groups.map((group) => [`${group.order} ${group.workers}`, group]));
  const sorted = [...distinct.values()].sort((a, b) => a.order - b.order || a.workers - b.workers);
  if (new Set(sorted.map(({ order }) => order)).size === sorted.length) return;
  for (const { project, order, workers } of groups) {
    const groupOrder = sorted.findIndex((group) => group.order === order && group.workers === workers);
    // Several projects may share the object.
    project.config.sequence = { ...project.config.sequence, groupOrder };
  }
}
