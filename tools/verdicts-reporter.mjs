// A vitest reporter for verdicts.mjs: writes how every test ended, with the reason of those that were skipped.
import { writeFileSync } from 'node:fs';

export default class {
  onTestRunEnd(modules) {
    const tests = modules.flatMap((module) =>
      [...module.children.allTests()].flatMap((test) => {
        const { state, note } = test.result();
        // A filter left it out.
        if (state === 'skipped' && note === undefined) return [];
        const isolation = test.tags.find((tag) => tag.startsWith('isolation/'))?.slice('isolation/'.length);
        return { file: module.relativeModuleId, name: `${isolation}: ${test.fullName}`, state, note };
      }),
    );
    writeFileSync(process.env.PETRI_VERDICTS_FILE, JSON.stringify(tests));
  }
}
