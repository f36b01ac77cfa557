/**
 * A module that the plugin makes up: it imports the project's configuration file, for its side effect and its default.
 */
export const userConfigModule = 'virtual:petri-vm/user-config';
