/** Starts what every suite shares. */
export default function setup(): void {}
