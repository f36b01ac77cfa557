/** A virtual module of the plugin: it imports the project's configuration file. */
export const userConfigModule = 'virtual:petri-vm/user-config';
