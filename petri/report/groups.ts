import type { TestProject } from 'vitest/node';

/** Where projects stood before they were moved. */
const askedOrders = new WeakMap<TestProject, number>();

/**
 * vitest runs projects of one `sequence.groupOrder` beside each other, and refuses them when they have different
 * numbers of workers, as projects on different backends may. They become groups of their own, in the order in which the
 * user has put them. May be called again whenever a number has changed.
 */
export function separateGroups(projects: readonly TestProject[]): void {
  const groups = projects.map((project) => {
    const order = askedOrders.get(project) ?? project.config.sequence.groupOrder;
    askedOrders.set(project, order);
    // The root's number counts where a project has none, and every project without any has the same.
    return { project, order, workers: project.config.maxWorkers || project.vitest.config.maxWorkers || 0 };
  });
  const distinct = new Map(groups.map((group) => [`${group.order} ${group.workers}`, group]));
  const sorted = [...distinct.values()].sort((a, b) => a.order - b.order || a.workers - b.workers);
  if (new Set(sorted.map(({ order }) => order)).size === sorted.length) return;
  for (const { project, order, workers } of groups) {
    const groupOrder = sorted.findIndex((group) => group.order === order && group.workers === workers);
    // The object may be that of several projects.
    project.config.sequence = { ...project.config.sequence, groupOrder };
  }
}
